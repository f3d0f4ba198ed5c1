package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.Permissions;
import hawser.sys.FileCalls;
import hawser.sys.FileCalls.Lock;

/**
 * Tells other programs, QEMU above all, what an image is used for, and refuses what clashes with
 * theirs. Byte 100 + n is locked, shared, by whoever uses permission n; byte 200 + n by whoever
 * does not let others use it (QEMU's block/file-posix.c). The locks belong to the open file and go
 * with it.
 */
final class ImageLock {
  static final int USED_BASE = 100;
  static final int UNSHARED_BASE = 200;

  /** The permissions have this many bits. */
  static final int BITS = Integer.bitCount(Permissions.ALL);

  private final int fd;
  private final String name;
  private Permissions held = Permissions.NONE;

  ImageLock(int fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /** Changes what is held to {@code wanted}; on a clash nothing has changed. */
  synchronized void claim(Permissions wanted) throws BlockFault {
    Permissions before = held;
    try {
      lock(wanted.used(), USED_BASE);
      lock(~wanted.shared(), UNSHARED_BASE);
      check(wanted);
      held = wanted;
    } catch (BlockFault e) {
      release(before);
      throw e;
    }
    release(wanted);
  }

  private void lock(int mask, int base) throws BlockFault {
    for (int bit = 0; bit < BITS; bit++) {
      if ((mask & (1 << bit)) != 0) {
        long result = FileCalls.ofdLock(fd, Lock.READ, base + bit, 1);
        if (result < 0) {
          throw clash("Failed to lock byte " + (base + bit), result);
        }
      }
    }
  }

  /** Gives back what {@code kept} does not need. */
  private void release(Permissions kept) {
    for (int bit = 0; bit < BITS; bit++) {
      if ((kept.used() & (1 << bit)) == 0) {
        FileCalls.ofdLock(fd, Lock.NONE, USED_BASE + bit, 1);
      }
      if ((~kept.shared() & (1 << bit)) == 0) {
        FileCalls.ofdLock(fd, Lock.NONE, UNSHARED_BASE + bit, 1);
      }
    }
  }

  private void check(Permissions wanted) throws BlockFault {
    for (int bit = 0; bit < BITS; bit++) {
      if ((wanted.used() & (1 << bit)) != 0) {
        long result = FileCalls.ofdLockHeld(fd, Lock.WRITE, UNSHARED_BASE + bit, 1);
        if (result != 0) {
          throw clash(failed(1 << bit, false), result);
        }
      }
    }
    for (int bit = 0; bit < BITS; bit++) {
      if ((wanted.shared() & (1 << bit)) == 0) {
        long result = FileCalls.ofdLockHeld(fd, Lock.WRITE, USED_BASE + bit, 1);
        if (result != 0) {
          throw clash(failed(1 << bit, true), result);
        }
      }
    }
  }

  /** QEMU's words for a clash over one permission. */
  static String failed(int permission, boolean shared) {
    return "Failed to get %s\"%s\" lock"
        .formatted(shared ? "shared " : "", Permissions.names(permission));
  }

  /** QEMU's hint under those words. */
  static String hint(String name) {
    return "\nIs another process using the image [" + name + "]?";
  }

  private BlockFault clash(String words, long result) {
    boolean plain =
        result >= 0 || -result == Errno.EAGAIN.number() || -result == Errno.EACCES.number();
    String reason = plain ? "" : ": " + Errno.of((int) -result).text();
    return new BlockFault(Errno.EAGAIN, words + reason + hint(name));
  }
}
