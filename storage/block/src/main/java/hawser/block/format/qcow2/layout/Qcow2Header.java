package hawser.block.format.qcow2.layout;

import static java.nio.charset.StandardCharsets.UTF_8;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The header of a qcow2 image with its extensions and the backing file's name ("Header"). Unsigned
 * 32-bit fields are kept as longs, so that a huge value is huge and not negative. Version 2 headers
 * read with the values that version 3 would say.
 *
 * @param magic {@link #MAGIC} in every qcow2 image
 * @param version 2 or 3
 * @param backingOffset where the backing file's name is, or 0
 * @param backingBytes length of that name
 * @param clusterBits log2 of the cluster size
 * @param size of the virtual disk, bytes
 * @param cryptMethod 0 none, 1 AES, 2 LUKS
 * @param l1Entries number of entries of the active L1 table
 * @param l1Table where it is
 * @param refcountTable where the refcount table is
 * @param refcountTableClusters its size in clusters
 * @param snapshotCount number of internal snapshots
 * @param snapshotTable where their table is
 * @param incompatible bits of {@link IncompatibleFeature}
 * @param compatible bits of {@link CompatibleFeature}
 * @param autoclear bits of {@link AutoclearFeature}
 * @param refcountOrder log2 of the refcount width in bits
 * @param headerLength bytes of the header without extensions
 * @param compressionType 0 deflate, 1 zstd
 * @param unknownFields header bytes behind those known here, kept when the header is rewritten
 * @param extensions the header extensions
 * @param backingName the backing file's name, or null without one or when it lies outside bounds
 */
public record Qcow2Header(
    int magic,
    long version,
    long backingOffset,
    long backingBytes,
    long clusterBits,
    long size,
    long cryptMethod,
    long l1Entries,
    long l1Table,
    long refcountTable,
    long refcountTableClusters,
    long snapshotCount,
    long snapshotTable,
    long incompatible,
    long compatible,
    long autoclear,
    long refcountOrder,
    long headerLength,
    int compressionType,
    KeptBytes unknownFields,
    HeaderExtensions extensions,
    @Nullable String backingName) {

  /** "QFI" and 0xfb. */
  public static final int MAGIC = 0x514649fb;

  /** Bytes of a version 2 header. */
  public static final int V2_BYTES = 72;

  /** Fewest bytes of a version 3 header. */
  public static final int V3_BYTES_MIN = 104;

  /** Bytes of the header this implementation knows, padding included. */
  public static final int KNOWN_BYTES = 112;

  /** Where the two incompatible feature words start; the dirty bit is set by itself. */
  public static final int INCOMPATIBLE_AT = 72;

  /** Where the refcount table's offset and size are: 12 bytes that change together. */
  public static final int REFCOUNT_TABLE_AT = 48;

  /** Deflate without a zlib header. */
  public static final int DEFLATE = 0;

  /** Zstandard. */
  public static final int ZSTD = 1;

  private static final int COMPRESSION_AT = 104;

  /**
   * Reads the header of an image. Judges nothing; a file that is too short reads as if zeroes
   * followed.
   */
  public static Qcow2Header read(BlockNode file) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment start = arena.allocate(4096, 4096);
      fill(file, start);
      long bits = start.asByteBuffer().getInt(20);
      if (bits <= 12 || bits > Qcow2Limits.CLUSTER_BITS_MAX) {
        long known = bits < Qcow2Limits.CLUSTER_BITS_MIN || bits > 12 ? 4096 : 1L << bits;
        return read(start.asSlice(0, known));
      }
      MemorySegment cluster = arena.allocate(1L << bits, 4096);
      fill(file, cluster);
      return read(cluster);
    }
  }

  private static void fill(BlockNode file, MemorySegment into) throws BlockFault {
    long bytes = Math.min(into.byteSize(), file.length());
    if (bytes > 0) {
      file.read(into.asSlice(0, bytes), 0);
    }
  }

  /**
   * Reads from the first cluster of a file, or as much of it as there is; at least 112 bytes.
   * Through a byte buffer, which is big-endian by itself: reading numbers from a segment makes the
   * Java platform spin classes at its first use, and {@code img info} is over before that pays.
   */
  public static Qcow2Header read(MemorySegment in) {
    ByteBuffer numbers = in.asByteBuffer();
    long version = unsigned(numbers, 4);
    boolean v3 = version >= 3;
    long headerLength = v3 ? unsigned(numbers, 100) : V2_BYTES;
    long backingOffset = numbers.getLong(8);
    long backingBytes = unsigned(numbers, 16);
    long extensionsEnd =
        backingOffset > 0 && backingOffset <= in.byteSize() ? backingOffset : in.byteSize();
    return new Qcow2Header(
        numbers.getInt(0),
        version,
        backingOffset,
        backingBytes,
        unsigned(numbers, 20),
        numbers.getLong(24),
        unsigned(numbers, 32),
        unsigned(numbers, 36),
        numbers.getLong(40),
        numbers.getLong(48),
        unsigned(numbers, 56),
        unsigned(numbers, 60),
        numbers.getLong(64),
        v3 ? numbers.getLong(72) : 0,
        v3 ? numbers.getLong(80) : 0,
        v3 ? numbers.getLong(88) : 0,
        v3 ? unsigned(numbers, 96) : 4,
        headerLength,
        v3 && headerLength > COMPRESSION_AT ? numbers.get(COMPRESSION_AT) : 0,
        unknownFields(in, headerLength),
        headerLength <= in.byteSize()
            ? HeaderExtensions.read(in, headerLength, extensionsEnd)
            : new HeaderExtensions(List.of(), true),
        backingName(in, backingOffset, backingBytes));
  }

  private static KeptBytes unknownFields(MemorySegment in, long headerLength) {
    if (headerLength <= KNOWN_BYTES || headerLength > in.byteSize()) {
      return KeptBytes.NONE;
    }
    return new KeptBytes(
        in.asSlice(KNOWN_BYTES, headerLength - KNOWN_BYTES).toArray(ValueLayout.JAVA_BYTE));
  }

  private static @Nullable String backingName(MemorySegment in, long offset, long bytes) {
    if (offset <= 0
        || offset > in.byteSize()
        || bytes > Math.min(Qcow2Limits.BACKING_NAME_BYTES_MAX, in.byteSize() - offset)) {
      return null;
    }
    return HeaderExtensions.text(in.asSlice(offset, bytes));
  }

  private static long unsigned(ByteBuffer numbers, int at) {
    return Integer.toUnsignedLong(numbers.getInt(at));
  }

  /** Whether an incompatible feature is set. */
  public boolean has(IncompatibleFeature feature) {
    return (incompatible & feature.mask()) != 0;
  }

  /** Whether a compatible feature is set. */
  public boolean has(CompatibleFeature feature) {
    return (compatible & feature.mask()) != 0;
  }

  /** Whether an autoclear feature is set. */
  public boolean has(AutoclearFeature feature) {
    return (autoclear & feature.mask()) != 0;
  }

  /** The backing file's format from its extension, or null when the image does not say. */
  public @Nullable String backingFormat() {
    return extensions
        .last(HeaderExtension.BackingFormat.class)
        .map(HeaderExtension.BackingFormat::format)
        .orElse(null);
  }

  /** The external data file's name from its extension, or null. */
  public @Nullable String dataFileName() {
    return extensions
        .last(HeaderExtension.DataFile.class)
        .map(HeaderExtension.DataFile::name)
        .orElse(null);
  }

  /**
   * Every flaw of the header and its extensions, in the order in which QEMU looks for them, so that
   * the first one is what QEMU reports.
   */
  public List<Flaw> flaws() {
    return HeaderFlaws.of(this);
  }

  /** The arithmetic of this image. Only for a header without a flaw that blocks opening. */
  public Geometry geometry() {
    return Geometry.of(this);
  }

  /** The same with other feature words. */
  public Qcow2Header withFeatures(long newIncompatible, long newCompatible, long newAutoclear) {
    return copy(
        size,
        l1Entries,
        l1Table,
        refcountTable,
        refcountTableClusters,
        newIncompatible,
        newCompatible,
        newAutoclear,
        extensions);
  }

  /** The same with another disk size and L1 table. */
  public Qcow2Header withDisk(long newSize, long newL1Entries, long newL1Table) {
    return copy(
        newSize,
        newL1Entries,
        newL1Table,
        refcountTable,
        refcountTableClusters,
        incompatible,
        compatible,
        autoclear,
        extensions);
  }

  /** The same with another refcount table. */
  public Qcow2Header withRefcountTable(long at, long clusters) {
    return copy(
        size, l1Entries, l1Table, at, clusters, incompatible, compatible, autoclear, extensions);
  }

  /** The same with another backing file, or none; both parts change together. */
  public Qcow2Header withBacking(@Nullable String name, @Nullable String format) {
    var kept = new ArrayList<HeaderExtension>();
    for (HeaderExtension extension : extensions.list()) {
      if (!(extension instanceof HeaderExtension.BackingFormat)) {
        kept.add(extension);
      }
    }
    if (name != null && format != null) {
      kept.add(new HeaderExtension.BackingFormat(format));
    }
    return new Qcow2Header(
        magic,
        version,
        backingOffset,
        backingBytes,
        clusterBits,
        size,
        cryptMethod,
        l1Entries,
        l1Table,
        refcountTable,
        refcountTableClusters,
        snapshotCount,
        snapshotTable,
        incompatible,
        compatible,
        autoclear,
        refcountOrder,
        headerLength,
        compressionType,
        unknownFields,
        new HeaderExtensions(kept, extensions.cut()),
        name);
  }

  /** The same with other extensions. */
  public Qcow2Header withExtensions(HeaderExtensions others) {
    return copy(
        size,
        l1Entries,
        l1Table,
        refcountTable,
        refcountTableClusters,
        incompatible,
        compatible,
        autoclear,
        others);
  }

  private Qcow2Header copy(
      long newSize,
      long newL1Entries,
      long newL1Table,
      long newRefcountTable,
      long newRefcountTableClusters,
      long newIncompatible,
      long newCompatible,
      long newAutoclear,
      HeaderExtensions newExtensions) {
    return new Qcow2Header(
        magic,
        version,
        backingOffset,
        backingBytes,
        clusterBits,
        newSize,
        cryptMethod,
        newL1Entries,
        newL1Table,
        newRefcountTable,
        newRefcountTableClusters,
        snapshotCount,
        snapshotTable,
        newIncompatible,
        newCompatible,
        newAutoclear,
        refcountOrder,
        headerLength,
        compressionType,
        unknownFields,
        newExtensions,
        backingName);
  }

  /**
   * The whole first cluster as QEMU writes it: header, unknown fields, extensions, end marker,
   * backing name, zeroes. The offsets and lengths that follow from the content are computed, those
   * in this record do not count.
   *
   * @throws BlockFault ENOSPC when the content exceeds a cluster
   */
  public byte[] toCluster() throws BlockFault {
    byte[] cluster = new byte[1 << clusterBits];
    ByteBuffer out = ByteBuffer.wrap(cluster);
    boolean v3 = version >= 3;
    int knownBytes = v3 ? KNOWN_BYTES : V2_BYTES;
    byte[] kept = extensions.toBytes(v3 && clusterBits > 12);
    byte[] name = backingName == null ? new byte[0] : backingName.getBytes(UTF_8);
    int extensionsAt = knownBytes + unknownFields.length();
    int nameAt = extensionsAt + kept.length;
    if (nameAt + name.length > cluster.length) {
      throw new BlockFault(Errno.ENOSPC, "the header does not fit into one cluster");
    }
    putV2(out, backingName == null ? 0 : nameAt, name.length);
    if (v3) {
      out.putLong(72, incompatible);
      out.putLong(80, compatible);
      out.putLong(88, autoclear);
      out.putInt(96, (int) refcountOrder);
      out.putInt(100, extensionsAt);
      out.put(COMPRESSION_AT, (byte) compressionType);
    }
    System.arraycopy(unknownFields.toArray(), 0, cluster, knownBytes, unknownFields.length());
    System.arraycopy(kept, 0, cluster, extensionsAt, kept.length);
    System.arraycopy(name, 0, cluster, nameAt, name.length);
    return cluster;
  }

  private void putV2(ByteBuffer out, int nameAt, int nameBytes) {
    out.putInt(0, magic);
    out.putInt(4, (int) version);
    out.putLong(8, nameAt);
    out.putInt(16, nameBytes);
    out.putInt(20, (int) clusterBits);
    out.putLong(24, size);
    out.putInt(32, (int) cryptMethod);
    out.putInt(36, (int) l1Entries);
    out.putLong(40, l1Table);
    out.putLong(48, refcountTable);
    out.putInt(56, (int) refcountTableClusters);
    out.putInt(60, (int) snapshotCount);
    out.putLong(64, snapshotTable);
  }
}
