package hawser.interop.guest;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** A cpio archive in the form that Linux unpacks as its first file system ("newc"). */
final class Cpio {
  private static final int FOLDER = 0040755;
  private static final int EXECUTABLE = 0100755;
  private static final int ALIGNMENT = 4;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int inodes;

  Cpio folder(String name) {
    return entry(name, FOLDER, new byte[0]);
  }

  Cpio file(String name, byte[] bytes) {
    return entry(name, EXECUTABLE, bytes);
  }

  /** The whole archive; nothing can follow. */
  byte[] bytes() {
    entry("TRAILER!!!", 0, new byte[0]);
    return out.toByteArray();
  }

  private Cpio entry(String name, int mode, byte[] bytes) {
    inodes++;
    // inode, mode, owner, group, links, time, size, device (2), device of a device (2), name, sum
    int[] fields = {
      inodes, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length() + 1, 0,
    };
    var header = new StringBuilder("070701");
    for (int field : fields) {
      header.append("%08x".formatted(field));
    }
    out.writeBytes(header.append(name).append('\0').toString().getBytes(StandardCharsets.US_ASCII));
    align();
    out.writeBytes(bytes);
    align();
    return this;
  }

  private void align() {
    while (out.size() % ALIGNMENT != 0) {
      out.write(0);
    }
  }
}
