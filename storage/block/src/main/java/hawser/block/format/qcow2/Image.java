package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.SnapshotTable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The parts of one open image, put together. Reading needs no more; {@link Writing} adds the rest.
 */
final class Image {
  final HostFile file;
  final HostFile data;
  final @Nullable BlockNode dataNode;
  final @Nullable BlockNode backing;
  final OpenMode mode;
  final OpenOptions options;
  final Geometry geometry;
  final SnapshotTable snapshots;
  final Damage damage;
  final Tables tables;
  final DataEpochs epochs = new DataEpochs();
  final Decompressor decompressor;
  final ClusterReader reader;
  final Extents extents;
  private volatile Qcow2Header header;

  private Image(Parts parts, HostFile file, HostFile data, L1Table l1) {
    this.file = file;
    this.data = data;
    this.dataNode = parts.dataFile;
    this.backing = parts.backing;
    this.mode = parts.mode;
    this.options = parts.options;
    this.header = parts.header;
    this.geometry = header.geometry();
    this.snapshots = parts.snapshots;
    this.damage = new Damage(geometry, parts.warnings);
    var cache = new MetadataCache(options.l2CacheBytes(), options.l2SliceBytes());
    this.tables = new Tables(file, geometry, new Mapping(geometry, l1, cache), damage);
    this.decompressor = new Decompressor(header.compressionType());
    this.reader = new ClusterReader(tables, file, data, backing, decompressor, epochs);
    this.extents = new Extents(this);
  }

  /**
   * What an image is made of.
   *
   * @param snapshot whose mapping to read instead of the active one, or null
   */
  record Parts(
      Qcow2Header header,
      BlockNode file,
      @Nullable BlockNode dataFile,
      @Nullable BlockNode backing,
      SnapshotTable snapshots,
      @Nullable Snapshot snapshot,
      OpenOptions options,
      OpenMode mode,
      Consumer<String> warnings) {}

  /** Reads the L1 table and prepares everything that reading needs. */
  static Image of(Parts parts) throws BlockFault {
    var file = new HostFile(parts.file, parts.dataFile == null);
    var data = parts.dataFile == null ? file : new HostFile(parts.dataFile, false);
    Snapshot snapshot = parts.snapshot;
    L1Table l1;
    try {
      l1 =
          snapshot == null
              ? L1Table.read(file, parts.header.l1Table(), (int) parts.header.l1Entries())
              : L1Table.read(file, snapshot.l1Table(), (int) snapshot.l1Entries());
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(), "Could not read L1 table: " + fault.errno().text(), fault);
    }
    return new Image(parts, file, data, l1);
  }

  Qcow2Header header() {
    return header;
  }

  /** Replaces the header in memory; under the mutex. */
  void header(Qcow2Header newer) {
    header = newer;
  }

  /** Gives memory back and leaves the nodes beneath open. */
  void release() {
    tables.close();
    decompressor.close();
  }

  /** Gives memory back and closes the nodes beneath, even when one of them fails. */
  void close() throws BlockFault {
    release();
    closeAll(backing, dataNode, file.node());
  }

  static void closeAll(@Nullable BlockNode... nodes) throws BlockFault {
    BlockFault first = null;
    for (BlockNode node : nodes) {
      try {
        if (node != null) {
          node.close();
        }
      } catch (BlockFault fault) {
        first = first == null ? fault : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
