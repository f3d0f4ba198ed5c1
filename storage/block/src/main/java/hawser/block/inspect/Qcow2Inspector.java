package hawser.block.inspect;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.ImageName;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.CompatibleFeature;
import hawser.block.format.qcow2.layout.Flaw;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.SnapshotTable;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Judges one qcow2 file; its field names are those of the format's document. */
final class Qcow2Inspector {
  private static final int ENTRY_BYTES = 8;

  private final BlockNode file;
  private final long fileBytes;
  private final List<Reference> references = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();

  Qcow2Inspector(BlockNode file, long fileBytes) {
    this.file = file;
    this.fileBytes = fileBytes;
  }

  Inspection run() throws BlockFault {
    Qcow2Header header = Qcow2Header.read(file);
    boolean readable = flaws("header", header.flaws());
    features(header);
    outside(header);
    extensions(header);
    if (readable) {
      places(header);
      tables(header);
    }
    OptionalLong size = header.size() < 0 ? OptionalLong.empty() : OptionalLong.of(header.size());
    return new Inspection("qcow2", fileBytes, size, references, findings);
  }

  /** Takes over a reader's flaws. False when one of them keeps the rest from being understood. */
  private boolean flaws(String field, List<Flaw> flaws) {
    boolean readable = true;
    for (Flaw flaw : flaws) {
      switch (flaw.blocks()) {
        case OPENING, USE -> {
          refuse(field, flaw.text());
          readable = false;
        }
        case WRITING -> refuse(field, flaw.text());
        case NOTHING -> warn(field, flaw.text());
      }
    }
    return readable;
  }

  private void features(Qcow2Header header) {
    if (header.has(IncompatibleFeature.DIRTY)) {
      warn("incompatible_features", "dirty bit: the image was not closed in order");
    }
    unknown("compatible_features", header.compatible() & ~CompatibleFeature.LAZY_REFCOUNTS.mask());
    unknown("autoclear_features", header.autoclear() & ~AutoclearFeature.all());
    if (header.cryptMethod() != 0) {
      warn("crypt_method", header.cryptMethod() + ": encrypted, a key is needed to read it");
    }
    if (header.unknownFields().length() > 0) {
      warn(
          "header_length",
          header.headerLength() + ": " + header.unknownFields().length() + " unknown bytes");
    }
    if (header.snapshotCount() > 0) {
      warn(
          "nb_snapshots",
          header.snapshotCount() + ": internal snapshots may hold data the disk no longer shows");
    }
  }

  private void unknown(String field, long bits) {
    if (bits != 0) {
      warn(field, "unknown bits 0x" + Long.toHexString(bits));
    }
  }

  /** Names that make whoever opens the image open something else. */
  private void outside(Qcow2Header header) {
    String backing = header.backingName();
    String format = header.backingFormat();
    if (backing != null && !backing.isEmpty()) {
      references.add(new Reference("backing file", backing, format == null ? "" : format));
      refuse("backing_file", describe(backing) + (format == null ? ", its format probed" : ""));
    } else if (format != null) {
      warn("backing format extension", "'" + format + "' without a backing file");
    }
    String data = header.dataFileName();
    if (header.has(IncompatibleFeature.DATA_FILE)) {
      references.add(new Reference("data file", data == null ? "" : data, "raw"));
      refuse(
          "external data file",
          data == null ? "wanted, and not named" : "guest data lies in " + describe(data));
    } else if (data != null) {
      warn("data file name extension", describe(data) + " is named, and not in use");
    }
  }

  private static String describe(String name) {
    String how =
        ImageName.isJson(name)
            ? "options for any driver"
            : !ImageName.protocol(name).isEmpty()
                ? "protocol " + ImageName.protocol(name)
                : name.startsWith("/") ? "an absolute path" : "a relative path";
    return "'" + name + "' (" + how + ")";
  }

  private void extensions(Qcow2Header header) {
    for (HeaderExtension extension : header.extensions().list()) {
      if (extension instanceof HeaderExtension.Unknown(int type, var data)) {
        warn(
            "header extension 0x" + Integer.toHexString(type),
            "unknown, " + data.length() + " bytes");
      } else if (extension instanceof HeaderExtension.Bitmaps bitmaps
          && !header.has(AutoclearFeature.BITMAPS)) {
        warn("bitmaps extension", bitmaps.count() + " bitmaps that are not to be trusted");
      }
    }
  }

  /** Whether the tables that the header claims fit into the file there is. */
  private void places(Qcow2Header header) {
    long cluster = 1L << header.clusterBits();
    inside("l1_table_offset", header.l1Table(), header.l1Entries() * ENTRY_BYTES);
    inside(
        "refcount_table_offset", header.refcountTable(), header.refcountTableClusters() * cluster);
    if (header.snapshotCount() > 0) {
      inside(
          "snapshots_offset",
          header.snapshotTable(),
          header.snapshotCount() * Snapshot.FIXED_BYTES);
    }
  }

  private void inside(String field, long offset, long length) {
    if (!Ranges.contains(fileBytes, offset, length)) {
      refuse(
          field, offset + ": " + length + " bytes there pass the end of the file at " + fileBytes);
    }
  }

  private void tables(Qcow2Header header) throws BlockFault {
    if (findings.stream().anyMatch(one -> one.field().equals("snapshots_offset"))) {
      return;
    }
    try {
      flaws("snapshot table", SnapshotTable.read(file, header).flaws());
      flaws("bitmap directory", BitmapDirectory.read(file, header).flaws());
    } catch (BlockFault fault) {
      refuse("tables", fault.getMessage());
    }
  }

  private void warn(String field, String text) {
    findings.add(Finding.warning(field, text));
  }

  private void refuse(String field, String text) {
    findings.add(Finding.refuse(field, text));
  }
}
