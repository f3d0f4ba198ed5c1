package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.CompatibleFeature;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.HeaderExtensions;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.KeptBytes;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.L2Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.RefcountBlock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes new qcow2 images: for the same options the same first clusters as {@code qemu-img create}
 * (header with its feature names, refcount table in cluster 1, refcount block, L1 table).
 *
 * <p>The image goes into a node of any kind that can be resized and written; what was in it is
 * lost. The header is written last, so that a creation cut short leaves no image behind.
 */
public final class Qcow2Creator {
  private static final int SECTOR = 512;

  private final Qcow2Options options;
  private final Geometry geometry;
  private final NewLayout layout;
  private final long l1Entries;

  private Qcow2Creator(Qcow2Options options) {
    this.options = options;
    this.geometry = options.geometry();
    this.layout = NewLayout.of(options);
    this.l1Entries = geometry.l1EntriesFor(options.size());
  }

  /**
   * Writes an image into {@code file}, and resizes {@code dataFile} to the disk's size.
   *
   * @param wanted what it is to be like; checked here
   * @param file receives the image; stays open
   * @param dataFile the external data file when the options name one, else null; stays open
   * @throws BlockFault with QEMU's words when the options do not go together, or when writing fails
   */
  public static void create(Qcow2Options wanted, BlockNode file, @Nullable BlockNode dataFile)
      throws BlockFault {
    wanted.check();
    Qcow2Options options =
        new Qcow2Options(
            Ranges.alignUp(wanted.size(), SECTOR),
            wanted.version(),
            wanted.clusterBytes(),
            wanted.refcountBits(),
            wanted.lazyRefcounts(),
            wanted.extendedL2(),
            wanted.compressionType(),
            wanted.dataFileRaw() && wanted.preallocation() == Preallocation.OFF
                ? Preallocation.METADATA
                : wanted.preallocation(),
            wanted.backingFile(),
            wanted.backingFormat(),
            wanted.dataFile(),
            wanted.dataFileRaw());
    if ((options.dataFile() != null) != (dataFile != null)) {
      throw new IllegalArgumentException("a data file is named but not given, or given unnamed");
    }
    new Qcow2Creator(options).write(file, dataFile);
  }

  private void write(BlockNode file, @Nullable BlockNode dataFile) throws BlockFault {
    if (layout.table() * geometry.clusterBytes() > Qcow2Limits.REFCOUNT_TABLE_BYTES_MAX) {
      throw new BlockFault(
          Errno.EFBIG, "Could not resize image: Failed to resize refcount structures");
    }
    byte[] header = header().toCluster();
    boolean fill =
        options.preallocation() == Preallocation.FALLOC
            || options.preallocation() == Preallocation.FULL;
    Preallocation room = fill ? options.preallocation() : Preallocation.OFF;
    makeRoom(file, dataFile == null ? room : Preallocation.OFF);
    if (dataFile != null) {
      dataFile.resize(options.size(), room);
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment cluster = arena.allocate(geometry.clusterBytes(), 4096);
      writeRefcounts(file, cluster);
      if (layout.l2() > 0) {
        writeMapping(file, cluster);
      } else {
        writeEmptyL1(file, cluster);
      }
      cluster.copyFrom(MemorySegment.ofArray(header));
      file.write(cluster, 0, 0);
      file.flush();
    }
  }

  /** Leaves zeroes where the tables come. A node of fixed length will do when it is long enough. */
  private void makeRoom(BlockNode file, Preallocation room) throws BlockFault {
    try {
      file.resize(0, Preallocation.OFF);
    } catch (BlockFault fault) {
      if (fault.errno() != Errno.EOPNOTSUPP) {
        throw fault;
      }
      if (file.length() < fileEnd()) {
        growFixed(file);
      }
      file.writeZeroes(0, fileEnd(), BlockNode.MAY_UNMAP);
      return;
    }
    file.resize(fileEnd(), room);
  }

  private void growFixed(BlockNode file) throws BlockFault {
    try {
      file.resize(fileEnd(), Preallocation.OFF);
    } catch (BlockFault fault) {
      throw new BlockFault(fault.errno(), "Could not resize image: " + fault.getMessage(), fault);
    }
  }

  private long at(long cluster) {
    return cluster << geometry.clusterBits();
  }

  private long fileEnd() {
    if (layout.data() > 0) {
      return at(layout.dataAt()) + options.size();
    }
    return layout.l2() > 0 ? at(layout.end()) : at(layout.l1At()) + l1Entries * 8;
  }

  private Qcow2Header header() {
    long incompatible = options.dataFile() == null ? 0 : IncompatibleFeature.DATA_FILE.mask();
    if (options.compressionType() != Qcow2Header.DEFLATE) {
      incompatible |= IncompatibleFeature.COMPRESSION.mask();
    }
    if (options.extendedL2()) {
      incompatible |= IncompatibleFeature.EXTENDED_L2.mask();
    }
    return new Qcow2Header(
        Qcow2Header.MAGIC,
        options.version(),
        0,
        0,
        geometry.clusterBits(),
        options.size(),
        0,
        l1Entries,
        l1Entries == 0 ? 0 : at(layout.l1At()),
        at(layout.tableAt()),
        layout.table(),
        0,
        0,
        incompatible,
        options.lazyRefcounts() ? CompatibleFeature.LAZY_REFCOUNTS.mask() : 0,
        options.dataFileRaw() ? AutoclearFeature.RAW_DATA_FILE.mask() : 0,
        geometry.refcountOrder(),
        0,
        options.compressionType(),
        KeptBytes.NONE,
        new HeaderExtensions(extensions(), false),
        options.backingFile());
  }

  private List<HeaderExtension> extensions() {
    var extensions = new ArrayList<HeaderExtension>();
    String format = options.backingFormat();
    if (format != null) {
      extensions.add(new HeaderExtension.BackingFormat(format));
    }
    String dataFile = options.dataFile();
    if (dataFile != null) {
      extensions.add(new HeaderExtension.DataFile(dataFile));
    }
    return extensions;
  }

  private void writeRefcounts(BlockNode file, MemorySegment cluster) throws BlockFault {
    long entries = geometry.refcountTableEntriesPerCluster();
    for (long i = 0; i < layout.table(); i++) {
      cluster.fill((byte) 0);
      for (long k = i * entries; k < Math.min(layout.blocks(), (i + 1) * entries); k++) {
        cluster.set(BE64, (k - i * entries) * 8, at(layout.blocksAt() + k));
      }
      file.write(cluster, at(layout.tableAt() + i), 0);
    }
    long counts = 1L << geometry.refcountBlockBits();
    for (long i = 0; i < layout.blocks(); i++) {
      cluster.fill((byte) 0);
      for (long k = i * counts; k < Math.min(layout.end(), (i + 1) * counts); k++) {
        RefcountBlock.set(cluster, geometry.refcountOrder(), k - i * counts, 1);
      }
      file.write(cluster, at(layout.blocksAt() + i), 0);
    }
  }

  /** Zeroes where the file has a hole: its length on disk is then the one QEMU's would have. */
  private void writeEmptyL1(BlockNode file, MemorySegment cluster) throws BlockFault {
    cluster.fill((byte) 0);
    long bytes = l1Entries * 8;
    for (long done = 0; done < bytes; done += cluster.byteSize()) {
      long count = Math.min(cluster.byteSize(), bytes - done);
      file.write(cluster.asSlice(0, count), at(layout.l1At()) + done, 0);
    }
  }

  /** Every guest cluster in its place, one after the other, none of it said to be written. */
  private void writeMapping(BlockNode file, MemorySegment cluster) throws BlockFault {
    long perCluster = geometry.clusterBytes() / 8;
    for (long i = 0; i < layout.l1(); i++) {
      cluster.fill((byte) 0);
      for (long k = i * perCluster; k < Math.min(l1Entries, (i + 1) * perCluster); k++) {
        cluster.set(BE64, (k - i * perCluster) * 8, at(layout.l2At() + k) | L1Entry.COPIED);
      }
      file.write(cluster, at(layout.l1At() + i), 0);
    }
    long perTable = 1L << geometry.l2Bits();
    long clusters = geometry.clustersFor(options.size());
    for (long i = 0; i < layout.l2(); i++) {
      cluster.fill((byte) 0);
      for (long k = i * perTable; k < Math.min(clusters, (i + 1) * perTable); k++) {
        long host = geometry.dataFile() ? at(k) : at(layout.dataAt() + k);
        cluster.set(BE64, (k - i * perTable) * geometry.l2EntryBytes(), host | L2Entry.COPIED);
      }
      file.write(cluster, at(layout.l2At() + i), 0);
    }
  }
}
