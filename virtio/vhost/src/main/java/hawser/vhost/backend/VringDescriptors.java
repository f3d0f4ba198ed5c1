package hawser.vhost.backend;

import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.Descriptors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How the two sides of one vring wake each other: by event descriptors, owned here, by messages
 * (vhost-user, "In-band notifications"), or not at all. Changed by the connection's thread while
 * the queue is stopped; a call descriptor may be exchanged while it works.
 */
final class VringDescriptors implements AutoCloseable {
  /** How long a queue sleeps that nobody kicks. */
  private static final int UNKICKED_WAIT_MILLIS = 1;

  private final int vring;
  private volatile @Nullable Consumer<BackEndMessage> messages;
  private volatile boolean kickSaid;
  private volatile boolean callSaid;
  private int kick = Descriptors.NONE;
  private int call = Descriptors.NONE;
  private int error = Descriptors.NONE;

  VringDescriptors(int vring) {
    this.vring = vring;
  }

  static int newEvent() {
    long fd = EventFd.create();
    if (fd < 0) {
      throw new AssertionError("eventfd: " + hawser.sys.Result.errno(fd));
    }
    return (int) fd;
  }

  int kick() {
    return kick;
  }

  /** Where messages go that do for descriptors which nobody gave, or null. */
  void useMessages(@Nullable Consumer<BackEndMessage> channel) {
    messages = channel;
  }

  /** How long the queue may sleep without a kick; -1 is for ever. */
  int waitMillis() {
    boolean byMessage = messages != null && !kickSaid;
    return kick >= 0 || byMessage ? -1 : UNKICKED_WAIT_MILLIS;
  }

  void setKick(int fd) {
    closeIfOpen(kick);
    kick = fd;
    kickSaid = true;
  }

  void forgetKick() {
    setKick(Descriptors.NONE);
    kickSaid = false;
  }

  synchronized void setCall(int fd) {
    callSaid = true;
    closeIfOpen(call);
    call = fd;
  }

  synchronized void setError(int fd) {
    closeIfOpen(error);
    error = fd;
  }

  /** Tells the driver that chains have come back. */
  void call() {
    Consumer<BackEndMessage> channel = messages;
    if (channel != null && !callSaid) {
      channel.accept(new BackEndMessage.VringCall(vring));
    } else {
      signalCall();
    }
  }

  private synchronized void signalCall() {
    if (call >= 0) {
      EventFd.signal(call);
    }
  }

  /** Tells the front-end that this vring is broken. */
  void signalError() {
    Consumer<BackEndMessage> channel = messages;
    if (!signalledError() && channel != null) {
      channel.accept(new BackEndMessage.VringErr(vring));
    }
  }

  private synchronized boolean signalledError() {
    if (error >= 0) {
      EventFd.signal(error);
    }
    return error >= 0;
  }

  private static void closeIfOpen(int fd) {
    if (fd >= 0) {
      FileCalls.close(fd);
    }
  }

  @Override
  public void close() {
    setKick(Descriptors.NONE);
    setCall(Descriptors.NONE);
    setError(Descriptors.NONE);
  }
}
