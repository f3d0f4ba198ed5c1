package hawser.block.inspect;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.CompatibleFeature;
import hawser.block.format.qcow2.layout.Flaw;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.SnapshotTable;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Inspects a qcow2 image. Reads its first cluster and, when they are small, its two directories.
 */
final class Qcow2Inspector {
  private final BlockNode file;
  private final long fileBytes;
  private final Qcow2Header header;
  private final List<OutsideReference> references = new ArrayList<>();
  private final Map<String, Json> facts = new LinkedHashMap<>();
  private final List<Finding> findings = new ArrayList<>();

  Qcow2Inspector(BlockNode file) throws BlockFault {
    this.file = file;
    this.fileBytes = file.length();
    this.header = Qcow2Header.read(file);
  }

  Inspection inspect() throws BlockFault {
    facts.put("version", Json.of(header.version()));
    boolean readable = flaws();
    references();
    features();
    extensions();
    encryption();
    if (readable) {
      sizes();
      snapshots();
      bitmaps();
    }
    return new Inspection("qcow2", fileBytes, header.size(), references, facts, findings);
  }

  /** What QEMU would refuse; false when the header makes no sense at all. */
  private boolean flaws() {
    boolean readable = true;
    for (Flaw flaw : header.flaws()) {
      switch (flaw.blocks()) {
        case OPENING -> {
          findings.add(Finding.bad("header", flaw.text()));
          readable = false;
        }
        case USE -> findings.add(Finding.bad("header", flaw.text()));
        case WRITING, NOTHING -> findings.add(Finding.odd("header", flaw.text()));
      }
    }
    if (fileBytes < Qcow2Header.V2_BYTES) {
      findings.add(Finding.bad("header", "the file ends inside the header"));
    }
    return readable;
  }

  private void references() {
    String backing = header.backingName();
    String format = header.backingFormat();
    if (backing != null && !backing.isEmpty()) {
      refer(OutsideReference.of("backing-file", backing, format == null ? "" : format));
      if (format == null) {
        findings.add(
            Finding.odd(
                "backing-format",
                "the backing file's format is not said: whoever writes that file chooses it"));
      }
    } else if (format != null) {
      findings.add(
          Finding.odd("backing-format", "a backing format without a backing file: " + format));
    }
    String data = header.dataFileName();
    boolean flagged = header.has(IncompatibleFeature.DATA_FILE);
    if (data != null) {
      refer(OutsideReference.of("data-file", data, "raw"));
    } else if (flagged) {
      findings.add(
          Finding.bad("data-file", "its data lies in another file, which it does not name"));
    }
    if (data != null && !flagged) {
      findings.add(
          Finding.odd("data-file", "a data file is named and the feature bit for it is not set"));
    }
  }

  private void refer(OutsideReference reference) {
    references.add(reference);
    findings.add(
        Finding.bad(
            reference.role(),
            "opens another file as its %s (%s): %s"
                .formatted(
                    reference.role().replace('-', ' '),
                    reference.form().words(),
                    reference.name())));
  }

  private void features() {
    // Unknown incompatible bits are a flaw of the header and told there.
    unknown("compatible", 1, header.compatible() & ~knownCompatible());
    unknown("autoclear", 2, header.autoclear() & ~AutoclearFeature.all());
    if (header.has(IncompatibleFeature.DIRTY)) {
      findings.add(Finding.odd("dirty", "it was not closed in order: its refcounts may be wrong"));
    }
    if (header.unknownFields().length() > 0) {
      findings.add(
          Finding.odd(
              "header-length",
              "the header has %d bytes more than are known"
                  .formatted(header.unknownFields().length())));
    }
    if (header.version() >= 3 && header.headerLength() % 8 != 0) {
      findings.add(
          Finding.odd(
              "header-length", header.headerLength() + " bytes of header are no multiple of 8"));
    }
  }

  private static long knownCompatible() {
    long all = 0;
    for (CompatibleFeature feature : CompatibleFeature.values()) {
      all |= feature.mask();
    }
    return all;
  }

  private void unknown(String word, int kind, long bits) {
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((bits & (1L << bit)) != 0) {
        findings.add(
            Finding.odd(
                "feature", "unknown %s feature bit %d%s".formatted(word, bit, named(kind, bit))));
      }
    }
  }

  /** What the image's own table calls a bit. */
  private String named(int kind, int bit) {
    var table = header.extensions().last(HeaderExtension.FeatureNames.class);
    if (table.isPresent()) {
      for (var row : table.get().names()) {
        if (row.kind() == kind && row.bit() == bit) {
          return ", which it calls '" + row.name() + "'";
        }
      }
    }
    return "";
  }

  private void extensions() {
    for (HeaderExtension extension : header.extensions().list()) {
      if (extension instanceof HeaderExtension.Unknown(int type, var data)) {
        findings.add(
            Finding.odd(
                "extension",
                "unknown header extension 0x%08x of %d bytes".formatted(type, data.length())));
      }
    }
    for (var kind :
        List.of(
            HeaderExtension.BackingFormat.class,
            HeaderExtension.FeatureNames.class,
            HeaderExtension.Bitmaps.class,
            HeaderExtension.CryptoHeader.class,
            HeaderExtension.DataFile.class)) {
      long count = header.extensions().list().stream().filter(kind::isInstance).count();
      if (count > 1) {
        findings.add(
            Finding.odd(
                "extension",
                "%d header extensions of one kind: %s".formatted(count, kind.getSimpleName())));
      }
    }
  }

  private void encryption() {
    facts.put("encrypted", Json.of(header.cryptMethod() != 0));
    if (header.cryptMethod() != 0) {
      findings.add(Finding.odd("encryption", "its data is encrypted and cannot be looked into"));
    }
  }

  private void sizes() {
    long cluster = header.geometry().clusterBytes();
    facts.put("cluster-size", Json.of(cluster));
    facts.put("l1-bytes", Json.of(header.l1Entries() * 8));
    facts.put("refcount-table-bytes", Json.of(header.refcountTableClusters() * cluster));
    long size = header.size();
    if (size > InspectLimits.VIRTUAL_BYTES) {
      findings.add(Finding.odd("virtual-size", "it claims to hold %d bytes".formatted(size)));
    } else if (size > InspectLimits.SMALL_BYTES && size / InspectLimits.VIRTUAL_RATIO > fileBytes) {
      findings.add(
          Finding.odd(
              "virtual-size",
              "it claims to hold %d bytes in a file of %d".formatted(size, fileBytes)));
    }
    inside("L1 table", header.l1Table(), header.l1Entries() * 8);
    inside("refcount table", header.refcountTable(), header.refcountTableClusters() * cluster);
    if (header.has(IncompatibleFeature.DATA_FILE) && header.snapshotCount() > 0) {
      findings.add(Finding.odd("snapshots", "snapshots in an image with a data file"));
    }
  }

  /** A table may reach into the last cluster of which only a part is stored. */
  private void inside(String what, long offset, long bytes) {
    long end =
        Ranges.alignUp(Math.min(fileBytes, Long.MAX_VALUE / 2), header.geometry().clusterBytes());
    if (bytes > 0 && !Ranges.contains(end, offset, bytes)) {
      findings.add(
          Finding.bad(
              "table",
              "the %s at %d, %d bytes, is not in the file".formatted(what, offset, bytes)));
    }
  }

  private void snapshots() throws BlockFault {
    facts.put("snapshots", Json.of(header.snapshotCount()));
    if (header.snapshotCount() == 0) {
      return;
    }
    findings.add(
        Finding.odd(
            "snapshots",
            header.snapshotCount() + " internal snapshots hold data that its disk does not show"));
    if (header.snapshotCount() > InspectLimits.ENTRIES_LOOKED_AT) {
      return;
    }
    SnapshotTable table;
    try {
      table = SnapshotTable.read(file, header);
    } catch (BlockFault fault) {
      findings.add(Finding.bad("snapshots", fault.getMessage()));
      return;
    }
    table.flaws().forEach(flaw -> findings.add(Finding.bad("snapshots", flaw.text())));
    for (Snapshot snapshot : table.snapshots()) {
      inside(
          "L1 table of snapshot '" + snapshot.name() + "'",
          snapshot.l1Table(),
          snapshot.l1Entries() * 8);
    }
  }

  private void bitmaps() throws BlockFault {
    var extension = header.extensions().last(HeaderExtension.Bitmaps.class);
    facts.put("bitmaps", Json.of(extension.map(HeaderExtension.Bitmaps::count).orElse(0L)));
    if (extension.isEmpty()) {
      return;
    }
    var place = extension.get();
    if (!header.has(AutoclearFeature.BITMAPS)) {
      findings.add(Finding.odd("bitmaps", "it has bitmaps that are not to be trusted"));
      return;
    }
    if (Long.compareUnsigned(place.directoryBytes(), InspectLimits.BITMAP_DIRECTORY_BYTES) > 0) {
      findings.add(
          Finding.odd(
              "bitmaps",
              "a bitmap directory of %s bytes is not looked into"
                  .formatted(Long.toUnsignedString(place.directoryBytes()))));
      return;
    }
    BitmapDirectory directory = BitmapDirectory.read(file, header);
    directory.flaws().forEach(flaw -> findings.add(Finding.bad("bitmaps", flaw.text())));
    for (StoredBitmap bitmap : directory.bitmaps()) {
      inside(
          "table of bitmap '" + bitmap.name() + "'",
          bitmap.table().bytes(),
          bitmap.tableEntries() * 8);
    }
  }
}
