package hawser.interop.check;

import hawser.testkit.Peers;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An image that QEMU's tools made and whose bytes a test changes. Offsets are bytes in the file;
 * everything is big endian.
 */
final class BrokenImage implements AutoCloseable {
  static final long COPIED = 1L << 63;
  static final long COMPRESSED = 1L << 62;
  static final int SNAPSHOT_COUNT = 60;
  static final int SNAPSHOT_TABLE = 64;
  static final int INCOMPATIBLE = 72;
  static final int AUTOCLEAR = 88;
  static final int L1_ENTRIES = 36;
  static final int REFCOUNT_TABLE_CLUSTERS = 56;
  private static final int BITMAPS_EXTENSION = 0x23852875;
  private static final long OFFSET = 0x00fffffffffffe00L;

  private final RandomAccessFile file;

  BrokenImage(Path path) throws IOException {
    this.file = new RandomAccessFile(path.toFile(), "rw");
  }

  /** Makes an image with qemu-img and lets qemu-io run commands on it. */
  static void make(Path path, String options, String size, String... commands) {
    var create = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
    if (!options.isEmpty()) {
      create.addAll(List.of("-o", options));
    }
    create.addAll(List.of(path.toString(), size));
    Peers.run(create).ok();
    for (String command : commands) {
      if (command.startsWith("img ")) {
        var run = new ArrayList<>(List.of("qemu-img"));
        run.addAll(List.of(command.substring(4).split(" ")));
        run.add(path.toString());
        if (command.startsWith("img bitmap")) {
          run.add("b" + commands.length);
        }
        Peers.run(run).ok();
      } else {
        Peers.run("qemu-io", "-f", "qcow2", "-c", command, path.toString()).ok();
      }
    }
  }

  long u64(long at) throws IOException {
    file.seek(at);
    return file.readLong();
  }

  int u32(long at) throws IOException {
    file.seek(at);
    return file.readInt();
  }

  int u16(long at) throws IOException {
    file.seek(at);
    return file.readUnsignedShort();
  }

  BrokenImage u64(long at, long value) throws IOException {
    file.seek(at);
    file.writeLong(value);
    return this;
  }

  BrokenImage u32(long at, int value) throws IOException {
    file.seek(at);
    file.writeInt(value);
    return this;
  }

  BrokenImage u16(long at, int value) throws IOException {
    file.seek(at);
    file.writeShort(value);
    return this;
  }

  BrokenImage u8(long at, int value) throws IOException {
    file.seek(at);
    file.writeByte(value);
    return this;
  }

  long length() throws IOException {
    return file.length();
  }

  BrokenImage length(long bytes) throws IOException {
    file.setLength(bytes);
    return this;
  }

  int clusterBits() throws IOException {
    return u32(20);
  }

  long cluster() throws IOException {
    return 1L << clusterBits();
  }

  /** Where an entry of the active L1 table is. */
  long l1(int index) throws IOException {
    return u64(40) + 8L * index;
  }

  /** Where an entry of an active L2 table is, entries of 8 bytes. */
  long l2(int l1Index, int index) throws IOException {
    return (u64(l1(l1Index)) & OFFSET) + 8L * index;
  }

  /** Where the first word of an extended L2 entry is. */
  long extendedL2(int l1Index, int index) throws IOException {
    return (u64(l1(l1Index)) & OFFSET) + 16L * index;
  }

  /** Where an entry of the refcount table is. */
  long table(int index) throws IOException {
    return u64(48) + 8L * index;
  }

  /** Where a 16-bit refcount of the first refcount block is. */
  long refcount(long cluster) throws IOException {
    return u64(table(0)) + 2 * cluster;
  }

  /** Where the first entry of the snapshot table is. */
  long snapshot() throws IOException {
    return u64(SNAPSHOT_TABLE);
  }

  /** Where the data of the bitmaps extension is: count, reserved, size, offset. */
  long bitmaps() throws IOException {
    long at = u32(100);
    while (u32(at) != BITMAPS_EXTENSION) {
      at += 8 + ((u32(at + 4) + 7) & ~7);
    }
    return at + 8;
  }

  /** Where the first entry of the bitmap directory is. */
  long bitmap() throws IOException {
    return u64(bitmaps() + 16);
  }

  /** Changes bits of a 64-bit word. */
  BrokenImage flip(long at, long bits) throws IOException {
    return u64(at, u64(at) ^ bits);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
