package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.Permissions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Looks for other programs' {@link ImageLock}s in the kernel's list, for commands that end at once
 * and make no native call. The verdict is that of taking the locks; what it cannot do is stop a
 * program that comes a moment later. The list's columns are those of proc_locks(5): number, kind,
 * mode, type, pid, major:minor:inode, first and last byte.
 */
final class ListedLocks {
  private static final Path LIST = Path.of("/proc/locks");
  private static final int COLUMNS = 8;

  private ListedLocks() {}

  /** Refuses a use that clashes with a lock on {@code file}. */
  static void check(Path file, String name, Permissions wanted) throws BlockFault {
    if (wanted.used() == 0 && wanted.shared() == Permissions.ALL) {
      return;
    }
    List<String> lines;
    String place;
    try {
      lines = Files.readAllLines(LIST, StandardCharsets.US_ASCII);
      place = place(file);
    } catch (IOException | UnsupportedOperationException e) {
      // No such list here, as on systems whose programs take no such locks.
      return;
    }
    check(lines, place, name, wanted);
  }

  /** The file as the list writes it: hexadecimal device, decimal inode. */
  private static String place(Path file) throws IOException {
    long device = (Long) Files.getAttribute(file, "unix:dev");
    long inode = (Long) Files.getAttribute(file, "unix:ino");
    long major = ((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfffL);
    long minor = (device & 0xff) | ((device >>> 12) & ~0xffL);
    return twoHex(major) + ":" + twoHex(minor) + ":" + inode;
  }

  private static String twoHex(long value) {
    String digits = Long.toHexString(value);
    return digits.length() < 2 ? "0" + digits : digits;
  }

  static void check(List<String> lines, String place, String name, Permissions wanted)
      throws BlockFault {
    int used = 0;
    int unshared = 0;
    for (String line : lines) {
      String[] columns = line.strip().split(" +", -1);
      if (columns.length == COLUMNS && columns[5].equals(place)) {
        long first = Long.parseLong(columns[6]);
        long last = columns[7].equals("EOF") ? Long.MAX_VALUE : Long.parseLong(columns[7]);
        used |= bits(ImageLock.USED_BASE, first, last);
        unshared |= bits(ImageLock.UNSHARED_BASE, first, last);
      }
    }
    refuse(wanted.used() & unshared, false, name);
    refuse(~wanted.shared() & used, true, name);
  }

  private static int bits(int base, long first, long last) {
    int mask = 0;
    for (int bit = 0; bit < ImageLock.BITS; bit++) {
      if (first <= base + bit && base + bit <= last) {
        mask |= 1 << bit;
      }
    }
    return mask;
  }

  private static void refuse(int clash, boolean shared, String name) throws BlockFault {
    if (clash != 0) {
      throw new BlockFault(
          Errno.EAGAIN,
          ImageLock.failed(Integer.lowestOneBit(clash), shared) + ImageLock.hint(name));
    }
  }
}
