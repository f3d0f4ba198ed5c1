package hawser.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.zip.Deflater;

/**
 * Builds small qcow2 images byte by byte, independently of the writer under test: version 3, one L1
 * cluster, two L2 tables, data, zero and compressed clusters, a snapshot and a bitmap. Refcounts of
 * 16 bits are counted while the parts are placed. Used by one thread.
 */
public final class SeedImage {
  private static final long COPIED = 1L << 63;
  private static final long COMPRESSED = 1L << 62;
  private static final int HEADER_BYTES = 112;
  private static final int CLUSTERS = 24;
  private static final int BITMAPS = 0x23852875;
  private static final int UNKNOWN = 0x48617773;

  private final int bits;
  private final boolean extended;
  private final ByteBuffer image;
  private final int[] refcounts = new int[CLUSTERS];
  private int used;

  private SeedImage(int bits, boolean extended) {
    this.bits = bits;
    this.extended = extended;
    this.image = ByteBuffer.allocate(CLUSTERS << bits);
  }

  /** Everything at once, in clusters of 512 bytes. */
  public static byte[] full() {
    return new SeedImage(9, false).build(true, true);
  }

  /** Data and compressed clusters only, in clusters of 4 KiB. */
  public static byte[] plain() {
    return new SeedImage(12, false).build(false, false);
  }

  /** Extended L2 entries, in clusters of 16 KiB. */
  public static byte[] subclusters() {
    return new SeedImage(14, true).build(false, false);
  }

  private int take(int references) {
    refcounts[used] = references;
    return used++ << bits;
  }

  private byte[] build(boolean snapshot, boolean bitmap) {
    take(1);
    int table = take(1);
    int block = take(1);
    int l1 = take(1);
    int l2 = take(1);
    int secondL2 = take(1);
    image.putLong(table, block);
    image.putLong(l1, l2 | (snapshot ? 0 : COPIED)).putLong(l1 + 8, secondL2 | COPIED);
    refcounts[l2 >> bits] = snapshot ? 2 : 1;
    entries(l2, snapshot);
    entry(secondL2, 0, take(1) | COPIED, 0xffff_ffffL);
    int snapshotTable = snapshot ? snapshot(l2) : 0;
    int directory = bitmap ? bitmap() : 0;
    header(table, l1, snapshotTable, directory);
    for (int i = 0; i < used; i++) {
      image.putShort(block + 2 * i, (short) refcounts[i]);
    }
    byte[] all = new byte[used << bits];
    image.get(0, all);
    return all;
  }

  /** Data, data, nothing, a zero cluster, a compressed one. */
  private void entries(int l2, boolean shared) {
    for (int i = 0; i < 2; i++) {
      int data = take(shared ? 2 : 1);
      for (int k = 0; k < 1 << bits; k++) {
        image.put(data + k, (byte) (k * 7 + i));
      }
      entry(l2, i, data | (shared ? 0 : COPIED), 0xffff_0000_0000_ffffL);
    }
    entry(l2, 3, extended ? 0 : 1, 0xffffffffL << 32);
    int at = take(shared ? 2 : 1);
    var deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    deflater.setInput(new byte[1 << bits]);
    deflater.finish();
    byte[] packed = new byte[1 << bits];
    int length = deflater.deflate(packed);
    deflater.end();
    image.put(at, packed, 0, length);
    int sectors = (length - 1) / 512;
    entry(l2, 4, COMPRESSED | (long) sectors << (62 - (bits - 8)) | at, 0);
  }

  private void entry(int l2, int index, long entry, long bitmap) {
    if (extended) {
      image.putLong(l2 + 16 * index, entry).putLong(l2 + 16 * index + 8, bitmap);
    } else {
      image.putLong(l2 + 8 * index, entry);
    }
  }

  private int snapshot(int l2) {
    int l1 = take(1);
    image.putLong(l1, l2);
    int table = take(1);
    image.putLong(table, l1).putInt(table + 8, 2).putShort(table + 12, (short) 1);
    image.putShort(table + 14, (short) 4).putInt(table + 36, 16);
    image.putLong(table + 48, diskBytes()).put(table + 56, "1seed".getBytes(UTF_8));
    return table;
  }

  private int bitmap() {
    int bitsAt = take(1);
    image.put(bitsAt, (byte) 0x55);
    int table = take(1);
    image.putLong(table, bitsAt);
    int directory = take(1);
    image.putLong(directory, table).putInt(directory + 8, 1).putInt(directory + 12, 2);
    image.put(directory + 16, (byte) 1).put(directory + 17, (byte) 16);
    image.putShort(directory + 18, (short) 4).put(directory + 24, "seed".getBytes(UTF_8));
    return directory;
  }

  private long diskBytes() {
    long perTable = 1L << (bits + bits - (extended ? 4 : 3));
    return perTable + (3L << bits) + 512;
  }

  private void header(int table, int l1, int snapshotTable, int directory) {
    image.putInt(0, 0x514649fb).putInt(4, 3).putInt(20, bits).putLong(24, diskBytes());
    image.putInt(36, 2).putLong(40, l1).putLong(48, table).putInt(56, 1);
    image.putInt(60, snapshotTable == 0 ? 0 : 1).putLong(64, snapshotTable);
    image.putLong(72, extended ? 16 : 0).putLong(88, directory == 0 ? 0 : 1);
    image.putInt(96, 4).putInt(100, HEADER_BYTES);
    int at = HEADER_BYTES;
    if (directory != 0) {
      image.putInt(at, BITMAPS).putInt(at + 4, 24).putInt(at + 8, 1);
      image.putLong(at + 16, 32).putLong(at + 24, directory);
      at += 32;
    }
    image.putInt(at, UNKNOWN).putInt(at + 4, 5).put(at + 8, "hello".getBytes(UTF_8));
  }
}
