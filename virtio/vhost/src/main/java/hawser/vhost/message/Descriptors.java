package hawser.vhost.message;

import hawser.base.PeerFault;
import hawser.sys.FileCalls;

/**
 * The descriptors that came with a message. Whoever needs one takes it and owns it from then on;
 * closing closes the rest. Used by one thread.
 */
public final class Descriptors implements AutoCloseable {
  /** {@link #takeOrNone}: there was none. */
  public static final int NONE = -1;

  private final int[] fds;
  private int next;

  /** Takes over open descriptors, in the order in which they came. */
  public Descriptors(int... fds) {
    this.fds = fds.clone();
  }

  /** How many nobody has taken. */
  public int count() {
    return fds.length - next;
  }

  /** Hands over the next one. */
  public int take(Object request) {
    if (count() == 0) {
      throw new PeerFault(request + " came without its descriptor");
    }
    return fds[next++];
  }

  /** The next one, which stays here. */
  public int peek() {
    return fds[next];
  }

  /** Hands over the next one, or {@link #NONE}. */
  public int takeOrNone() {
    return count() == 0 ? NONE : fds[next++];
  }

  @Override
  public void close() {
    while (count() > 0) {
      FileCalls.close(fds[next++]);
    }
  }
}
