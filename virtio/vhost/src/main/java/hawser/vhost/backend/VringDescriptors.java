package hawser.vhost.backend;

import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.vhost.message.Descriptors;

/**
 * The event descriptors of one vring, owned here. Changed by the connection's thread while the
 * queue is stopped; a call descriptor may be exchanged while it works.
 */
final class VringDescriptors implements AutoCloseable {
  private int kick = Descriptors.NONE;
  private int call = Descriptors.NONE;
  private int error = Descriptors.NONE;

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

  void setKick(int fd) {
    closeIfOpen(kick);
    kick = fd;
  }

  synchronized void setCall(int fd) {
    closeIfOpen(call);
    call = fd;
  }

  synchronized void setError(int fd) {
    closeIfOpen(error);
    error = fd;
  }

  /** Tells the driver that chains have come back. */
  synchronized void call() {
    if (call >= 0) {
      EventFd.signal(call);
    }
  }

  /** Tells the front-end that this vring is broken. */
  synchronized void signalError() {
    if (error >= 0) {
      EventFd.signal(error);
    }
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
