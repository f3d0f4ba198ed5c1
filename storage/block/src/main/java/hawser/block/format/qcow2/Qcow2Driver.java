package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.Measure;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.format.qcow2.check.Qcow2Check;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.Flaw;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.SnapshotTable;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Opens {@code qcow2}. Options as QEMU's driver: {@code lazy-refcounts}, {@code cache-size}, {@code
 * l2-cache-size}, {@code l2-cache-entry-size}, {@code refcount-cache-size}, {@code
 * cache-clean-interval}, {@code pass-discard-request}, {@code pass-discard-other}, {@code
 * overlap-check}, {@code data-file}, {@code backing}. In addition {@code snapshot.id} and {@code
 * snapshot.name}, or {@code snapshot} alone for either, open an internal snapshot for reading.
 *
 * <p>Errors have QEMU's words. An encrypted image is refused with EOPNOTSUPP.
 */
public final class Qcow2Driver implements Driver {
  /** The driver; it keeps nothing. */
  public Qcow2Driver() {}

  @Override
  public String name() {
    return "qcow2";
  }

  @Override
  public int probe(MemorySegment head, String name) {
    ByteBuffer numbers = head.asByteBuffer();
    boolean ours =
        numbers.limit() >= 8 && numbers.getInt(0) == Qcow2Header.MAGIC && numbers.getInt(4) >= 2;
    return ours ? 100 : 0;
  }

  @Override
  public Options joined(Options older, Options newer) {
    return OpenOptions.joined(older, newer);
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    BlockNode file = opener.child(options, "file", mode.forMetadata());
    BlockNode dataFile = null;
    BlockNode backing = null;
    try {
      Qcow2Header header = judged(file, mode);
      OpenOptions.refuseEncryption(options, header);
      OpenOptions runtime = OpenOptions.take(options, mode, header);
      var children = new Children(options, opener, mode, file, header);
      dataFile = children.dataFile();
      SnapshotTable snapshots = mode.checking() ? SnapshotTable.EMPTY : snapshots(file, header);
      bitmaps(file, header, opener);
      Snapshot snapshot = chosen(options, snapshots, header, mode);
      backing = children.backing();
      var parts =
          new Image.Parts(
              header, file, dataFile, backing, snapshots, snapshot, runtime, mode, opener::warn);
      return Qcow2Node.open(parts);
    } catch (BlockFault fault) {
      Image.closeAll(backing, dataFile, file);
      throw fault;
    }
  }

  /**
   * Opens an image whose files are open already, for programs that keep images in nodes of their
   * own.
   *
   * @param file holds the image; closed with the node that is returned, or when opening fails
   * @param dataFile the external data file where the image has one, closed likewise; else null
   * @param backing what unallocated ranges read from, closed likewise; null for zeroes
   * @param options runtime options as for {@link #open}; those not known are ignored
   * @param warnings hears what a person should know of the image
   */
  public static Qcow2Node openOver(
      BlockNode file,
      @Nullable BlockNode dataFile,
      @Nullable BlockNode backing,
      Options options,
      OpenMode mode,
      Consumer<String> warnings)
      throws BlockFault {
    try {
      Qcow2Header header = judged(file, mode);
      OpenOptions.refuseEncryption(options, header);
      if (header.has(IncompatibleFeature.DATA_FILE) && dataFile == null) {
        throw new BlockFault(Errno.EINVAL, "'data-file' is required for this image");
      }
      if (!header.has(IncompatibleFeature.DATA_FILE) && dataFile != null) {
        throw new BlockFault(Errno.EINVAL, "'data-file' can only be set for images with one");
      }
      OpenOptions runtime = OpenOptions.take(options, mode, header);
      SnapshotTable snapshots = snapshots(file, header);
      return Qcow2Node.open(
          new Image.Parts(
              header, file, dataFile, backing, snapshots, null, runtime, mode, warnings));
    } catch (BlockFault fault) {
      Image.closeAll(backing, dataFile, file);
      throw fault;
    }
  }

  @Override
  public List<CreateOption> createOptions() {
    return CreateSwitches.TABLE;
  }

  @Override
  public void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    Qcow2Options wanted = CreateSwitches.read(options);
    wanted.check();
    opener.createFile(name);
    String dataName = wanted.dataFile();
    if (dataName != null) {
      opener.createFile(dataName);
    }
    BlockNode file = opener.openProtocol(name, OpenMode.WRITE.forMetadata());
    BlockNode dataFile = null;
    try {
      dataFile = dataName == null ? null : opener.openProtocol(dataName, OpenMode.WRITE.forData());
      Qcow2Creator.create(wanted, file, dataFile);
    } finally {
      Image.closeAll(dataFile, file);
    }
  }

  @Override
  public Measure measure(CreateOptions options, @Nullable BlockNode source) throws BlockFault {
    Qcow2Options wanted = CreateSwitches.read(options);
    wanted.checkShape();
    return Qcow2Measure.of(wanted, source);
  }

  private static Qcow2Header judged(BlockNode file, OpenMode mode) throws BlockFault {
    Qcow2Header header;
    try {
      header = Qcow2Header.read(file);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(), "Could not read qcow2 header: " + fault.errno().text(), fault);
    }
    for (Flaw flaw : header.flaws()) {
      boolean matters =
          switch (flaw.blocks()) {
            case OPENING -> true;
            case USE -> !mode.checking();
            case WRITING -> mode.writable();
            case NOTHING -> false;
          };
      if (matters) {
        throw flaw.fault();
      }
    }
    return header;
  }

  private static SnapshotTable snapshots(BlockNode file, Qcow2Header header) throws BlockFault {
    SnapshotTable table = SnapshotTable.read(file, header);
    if (!table.flaws().isEmpty()) {
      throw table.flaws().getFirst().fault();
    }
    return table;
  }

  /** Only looks at the bitmaps, as QEMU does at opening; nobody tracks them here. */
  private static void bitmaps(BlockNode file, Qcow2Header header, Opener opener) throws BlockFault {
    if (header.extensions().last(HeaderExtension.Bitmaps.class).isEmpty()) {
      return;
    }
    if (!header.has(AutoclearFeature.BITMAPS)) {
      opener.warn(
          header.version() < 3
              ? "warning: This qcow2 v2 image contains bitmaps, but they may have been modified by"
                  + " a program without persistent bitmap support; so now they must all be"
                  + " considered inconsistent"
              : "warning: a program lacking bitmap support modified this file, so all bitmaps are"
                  + " now considered inconsistent");
      opener.warn("Some clusters may be leaked, run 'qemu-img check -r' on the image file to fix.");
      return;
    }
    Qcow2Check.judgeBitmaps(file, header);
  }

  private static @Nullable Snapshot chosen(
      Options options, SnapshotTable snapshots, Qcow2Header header, OpenMode mode)
      throws BlockFault {
    Options both = options.child("snapshot").orElseGet(Options::new);
    String either = options.text("snapshot").orElse(null);
    String id = both.text("id").orElse(null);
    String name = both.text("name").orElse(null);
    if (either == null && id == null && name == null) {
      return null;
    }
    Snapshot found = null;
    for (Snapshot one : snapshots.snapshots()) {
      boolean matches =
          either == null
              ? (id == null || id.equals(one.id())) && (name == null || name.equals(one.name()))
              : either.equals(one.id()) || either.equals(one.name());
      if (matches) {
        found = one;
        break;
      }
    }
    if (found == null) {
      throw new BlockFault(Errno.ENOENT, "Can't find snapshot");
    }
    if (mode.writable()) {
      throw new BlockFault(Errno.EACCES, "Device 'qcow2' is writable, a snapshot is only read");
    }
    refuseBadL1(found, header);
    return found;
  }

  private static void refuseBadL1(Snapshot found, Qcow2Header header) throws BlockFault {
    if (found.l1Entries() > Qcow2Limits.L1_BYTES_MAX / 8) {
      throw new BlockFault(Errno.EFBIG, "Snapshot L1 table too large");
    }
    if (found.l1Table() < 0
        || Long.MAX_VALUE - found.l1Entries() * 8 < found.l1Table()
        || header.geometry().inCluster(found.l1Table()) != 0) {
      throw new BlockFault(Errno.EINVAL, "Snapshot L1 table offset invalid");
    }
  }
}
