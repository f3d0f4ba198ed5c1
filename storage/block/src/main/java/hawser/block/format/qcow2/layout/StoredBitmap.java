package hawser.block.format.qcow2.layout;

/**
 * One persistent bitmap ("Bitmap directory entry").
 *
 * @param table where its table is
 * @param tableEntries how many entries that has
 * @param flags bits {@link #IN_USE}, {@link #AUTO}, {@link #EXTRA_DATA_COMPATIBLE}
 * @param type 1 for dirty tracking
 * @param granularityBits log2 of the guest bytes that one bit stands for
 * @param name of the bitmap
 * @param extra unknown extra data
 */
public record StoredBitmap(
    HostOffset table,
    long tableEntries,
    int flags,
    int type,
    int granularityBits,
    String name,
    KeptBytes extra) {

  /** Flag: was not saved cleanly; its content means nothing. */
  public static final int IN_USE = 1;

  /** Flag: records from the moment the image is opened for writing. */
  public static final int AUTO = 2;

  /** Flag: may be used by whoever does not know its extra data. */
  public static final int EXTRA_DATA_COMPATIBLE = 4;

  /** The bits of a bitmap table entry that hold an offset: 9 to 55. */
  public static final long OFFSET_MASK = 0x00fffffffffffe00L;

  /** Bytes of the part of an entry that is always there. */
  public static final int FIXED_BYTES = 24;

  private static final long TABLE_ENTRIES_MAX = 0x8000000;
  private static final long DATA_BYTES_MAX = 0x20000000;

  /** The same with other flags. */
  public StoredBitmap withFlags(int other) {
    return new StoredBitmap(table, tableEntries, other, type, granularityBits, name, extra);
  }

  /** Whether it may not be trusted. */
  public boolean inUse() {
    return (flags & IN_USE) != 0;
  }

  /** Whether it starts recording by itself. */
  public boolean auto() {
    return (flags & AUTO) != 0;
  }

  /** Whether its fields are within QEMU's bounds for a disk of that size. */
  public boolean sound(Geometry geometry, long diskBytes) {
    if (tableEntries == 0
        || table.bytes() == 0
        || geometry.inCluster(table.bytes()) != 0
        || tableEntries > TABLE_ENTRIES_MAX
        || granularityBits < 9
        || granularityBits > 31
        || (flags & ~(IN_USE | AUTO)) != 0
        || type != 1) {
      return false;
    }
    long stored = tableEntries * geometry.clusterBytes();
    return stored <= DATA_BYTES_MAX
        && (inUse() || diskBytes <= Math.multiplyExact(stored * 8, 1L << granularityBits));
  }
}
