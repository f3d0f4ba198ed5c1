package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.Preallocation;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import org.jspecify.annotations.Nullable;

/**
 * What a new qcow2 image is to be like: the options of {@code qemu-img create}. Start from {@link
 * #of} and change what differs:
 *
 * <pre>{@code
 * var options = Qcow2Options.of(10L << 30).withExtendedL2(true).withBacking("base.qcow2", "qcow2");
 * }</pre>
 *
 * @param size of the virtual disk, bytes; rounded up to a sector when the image is made
 * @param version 2 ({@code compat=0.10}) or 3 ({@code compat=1.1})
 * @param clusterBytes a power of two from 512 to 2 MiB; at least 16 KiB with extended L2 entries
 * @param refcountBits a power of two from 1 to 64; 16 in version 2
 * @param lazyRefcounts whether refcount updates may be put off
 * @param extendedL2 whether clusters have 32 subclusters
 * @param compressionType {@link Qcow2Header#DEFLATE} or {@link Qcow2Header#ZSTD}
 * @param preallocation how much is allocated at once
 * @param backingFile name of the backing file as it is to stand in the image, or null
 * @param backingFormat its format, or null
 * @param dataFile name of an external data file, which is created too, or null
 * @param dataFileRaw whether the data file has to stay valid as a raw image
 */
public record Qcow2Options(
    long size,
    int version,
    long clusterBytes,
    long refcountBits,
    boolean lazyRefcounts,
    boolean extendedL2,
    int compressionType,
    Preallocation preallocation,
    @Nullable String backingFile,
    @Nullable String backingFormat,
    @Nullable String dataFile,
    boolean dataFileRaw) {

  /** The cluster size when nobody asks for another, bytes. */
  public static final int CLUSTER_BYTES = 65536;

  /** QEMU's defaults: version 3, 64 KiB clusters, 16-bit refcounts, deflate, nothing else. */
  public static Qcow2Options of(long size) {
    return new Qcow2Options(
        size,
        3,
        CLUSTER_BYTES,
        16,
        false,
        false,
        Qcow2Header.DEFLATE,
        Preallocation.OFF,
        null,
        null,
        null,
        false);
  }

  /** The same with another version and refcount width. */
  public Qcow2Options withVersion(int newVersion, long newRefcountBits) {
    return new Qcow2Options(
        size,
        newVersion,
        clusterBytes,
        newRefcountBits,
        lazyRefcounts,
        extendedL2,
        compressionType,
        preallocation,
        backingFile,
        backingFormat,
        dataFile,
        dataFileRaw);
  }

  /** The same with another cluster size. */
  public Qcow2Options withClusterBytes(long bytes) {
    return new Qcow2Options(
        size,
        version,
        bytes,
        refcountBits,
        lazyRefcounts,
        extendedL2,
        compressionType,
        preallocation,
        backingFile,
        backingFormat,
        dataFile,
        dataFileRaw);
  }

  /** The same with lazy refcounts or without. */
  public Qcow2Options withLazyRefcounts(boolean lazy) {
    return new Qcow2Options(
        size,
        version,
        clusterBytes,
        refcountBits,
        lazy,
        extendedL2,
        compressionType,
        preallocation,
        backingFile,
        backingFormat,
        dataFile,
        dataFileRaw);
  }

  /** The same with subclusters or without. */
  public Qcow2Options withExtendedL2(boolean extended) {
    return new Qcow2Options(
        size,
        version,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        extended,
        compressionType,
        preallocation,
        backingFile,
        backingFormat,
        dataFile,
        dataFileRaw);
  }

  /** The same with another compression type. */
  public Qcow2Options withCompressionType(int type) {
    return new Qcow2Options(
        size,
        version,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        extendedL2,
        type,
        preallocation,
        backingFile,
        backingFormat,
        dataFile,
        dataFileRaw);
  }

  /** The same with another preallocation. */
  public Qcow2Options withPreallocation(Preallocation other) {
    return new Qcow2Options(
        size,
        version,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        extendedL2,
        compressionType,
        other,
        backingFile,
        backingFormat,
        dataFile,
        dataFileRaw);
  }

  /** The same with a backing file, or without one. */
  public Qcow2Options withBacking(@Nullable String file, @Nullable String format) {
    return new Qcow2Options(
        size,
        version,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        extendedL2,
        compressionType,
        preallocation,
        file,
        format,
        dataFile,
        dataFileRaw);
  }

  /** The same with an external data file, or without one. */
  public Qcow2Options withDataFile(@Nullable String file, boolean raw) {
    return new Qcow2Options(
        size,
        version,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        extendedL2,
        compressionType,
        preallocation,
        backingFile,
        backingFormat,
        file,
        raw);
  }

  /**
   * Checks that these options go together.
   *
   * @throws BlockFault EINVAL with QEMU's words, EFBIG when no L1 table can map the size
   */
  public void check() throws BlockFault {
    refuseIf(extendedL2 && version < 3, v3("Extended L2 entries are only supported with"));
    checkCluster();
    refuseIf(
        backingFile != null && preallocation != Preallocation.OFF && !extendedL2,
        "Backing file and preallocation can only be used at the same time if extended_l2 is on");
    refuseIf(
        backingFormat != null && backingFile == null,
        "Backing format cannot be used without backing file");
    refuseIf(lazyRefcounts && version < 3, v3("Lazy refcounts only supported with"));
    refuseIf(
        refcountBits <= 0 || refcountBits > 64 || Long.bitCount(refcountBits) != 1,
        "Refcount width must be a power of two and may not exceed 64 bits");
    refuseIf(
        version < 3 && refcountBits != 16,
        "Different refcount widths than 16 bits require compatibility level 1.1 or above (use"
            + " version=v3 or greater)");
    refuseIf(dataFileRaw && dataFile == null, "data-file-raw requires data-file");
    refuseIf(
        dataFileRaw && backingFile != null,
        "Backing file and data-file-raw cannot be used at the same time");
    refuseIf(dataFile != null && version < 3, v3("External data files are only supported with"));
    refuseIf(
        compressionType != Qcow2Header.DEFLATE && version < 3,
        v3("Non-zlib compression type is only supported with"));
    refuseIf(size < 0 || size > Long.MAX_VALUE - 511, "Image size is too large");
    if (geometry().l1EntriesFor(size) * 8 > Qcow2Limits.L1_BYTES_MAX) {
      throw new BlockFault(
          Errno.EFBIG, "Could not resize image: Failed to grow the L1 table: File too large");
    }
  }

  /** Checks only what the arithmetic rests on; what {@code measure} minds. */
  void checkShape() throws BlockFault {
    checkCluster();
    refuseIf(
        refcountBits <= 0 || refcountBits > 64 || Long.bitCount(refcountBits) != 1,
        "Refcount width must be a power of two and may not exceed 64 bits");
    refuseIf(
        version < 3 && refcountBits != 16,
        "Different refcount widths than 16 bits require compatibility level 1.1 or above (use"
            + " compat=1.1 or greater)");
  }

  private void checkCluster() throws BlockFault {
    refuseIf(
        clusterBytes < 512 || clusterBytes > 2 << 20 || Long.bitCount(clusterBytes) != 1,
        "Cluster size must be a power of two between 512 and 2048k");
    refuseIf(
        extendedL2 && clusterBytes < 16384,
        "Extended L2 entries are only supported with cluster sizes of at least 16384 bytes");
  }

  private static String v3(String what) {
    return what + " compatibility level 1.1 and above (use version=v3 or greater)";
  }

  private static void refuseIf(boolean wrong, String text) throws BlockFault {
    if (wrong) {
      throw new BlockFault(Errno.EINVAL, text);
    }
  }

  /** The arithmetic of such an image. The options must have passed {@link #check}. */
  Geometry geometry() {
    return new Geometry(
        Long.numberOfTrailingZeros(clusterBytes),
        extendedL2,
        Long.numberOfTrailingZeros(refcountBits),
        version,
        dataFile != null);
  }
}
