package hawser.fs.passthrough;

import hawser.fs.journal.DescriptorStore;
import hawser.sys.FileCalls;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

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

  private volatile @Nullable DescriptorStore store;
  private long key;

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

  /** Lets go; the last holder closes, and whoever keeps a copy need not any more. */
  void release() {
    if ((int) HOLDERS.getAndAdd(this, -1) == 1) {
      FileCalls.close(fd);
      DescriptorStore keeper = store;
      if (keeper != null) {
        keeper.drop(key);
      }
    }
  }

  /** A copy is kept under this key, until this is closed. */
  void keptAs(long newKey, DescriptorStore keeper) {
    key = newKey;
    store = keeper;
  }

  /** Whether it ever was one: what a predecessor left may be lost. */
  boolean isOpen() {
    return fd >= 0;
  }

  boolean isKept() {
    return store != null;
  }

  /** Under which key a copy is kept. */
  long key() {
    return key;
  }
}
