package hawser.fs.passthrough;

import hawser.sys.FileCalls;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * An open file descriptor that is closed when its owner has let go of it and nobody uses it any
 * more: a guest may close a file while another of its requests still reads from it.
 */
final class Descriptor {
  private static final VarHandle HOLDERS;

  static {
    try {
      HOLDERS = MethodHandles.lookup().findVarHandle(Descriptor.class, "holders", int.class);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("Descriptor.holders", e);
    }
  }

  final int fd;

  @SuppressWarnings("UnusedVariable") // by HOLDERS
  private volatile int holders = 1;

  /** Takes over an open descriptor; its maker is its first holder. */
  Descriptor(int fd) {
    this.fd = fd;
  }

  /** Becomes one more holder; false when it is closed already. */
  boolean hold() {
    while (true) {
      int now = (int) HOLDERS.getVolatile(this);
      if (now == 0) {
        return false;
      }
      if (HOLDERS.compareAndSet(this, now, now + 1)) {
        return true;
      }
    }
  }

  /** Lets go; the last holder closes. */
  void release() {
    if ((int) HOLDERS.getAndAdd(this, -1) == 1) {
      FileCalls.close(fd);
    }
  }
}
