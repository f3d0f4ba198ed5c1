package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;
import static hawser.base.Wire.LE64;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.HeaderExtensions;
import hawser.block.format.qcow2.layout.HostOffset;
import hawser.block.format.qcow2.layout.KeptBytes;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * The persistent bitmaps of an image that is written ("Bitmaps extension"). Before the first change
 * all of them are read and marked as in use in the file; from then on they record here; when the
 * image is closed they are stored at new places. After a crash the mark tells that they are not to
 * be trusted. Needs the image's mutex, but for {@link #mark}.
 */
final class RecordedBitmaps {
  private static final RecordedBitmap[] NOTHING = {};

  private final Writing writing;
  private final Image image;
  private final Geometry geometry;
  private List<StoredBitmap> inFile = List.of();

  /** The newest first, for that is the order in which QEMU stores them. */
  private final List<RecordedBitmap> kept = new ArrayList<>();

  private volatile RecordedBitmap[] recording = NOTHING;
  private volatile List<DirtyBitmap> all = List.of();

  RecordedBitmaps(Writing writing) {
    this.writing = writing;
    this.image = writing.image;
    this.geometry = image.geometry;
  }

  /** Notes a change of the disk; any thread. */
  void mark(long offset, long bytes) {
    for (RecordedBitmap bitmap : recording) {
      bitmap.mark(offset, bytes);
    }
  }

  /** What there is, once {@link #begin} has run; any thread. */
  List<DirtyBitmap> all() {
    return all;
  }

  /** Reads the bitmaps and marks them as in use. Durable when it returns. */
  void begin() throws BlockFault {
    BitmapDirectory directory = BitmapDirectory.read(image.file.node(), image.header());
    if (!directory.flaws().isEmpty()) {
      throw directory.flaws().getFirst().fault();
    }
    inFile = directory.bitmaps();
    for (StoredBitmap stored : inFile) {
      if (!stored.inUse()) {
        var there = new PersistentBitmap(stored, image.file.node(), geometry);
        RecordedBitmap bitmap = like(there);
        bitmap.add(there, image.header().size());
        kept.addFirst(bitmap);
      }
    }
    if (!kept.isEmpty()) {
      markInUse();
    }
    publish();
  }

  private RecordedBitmap like(DirtyBitmap other) {
    return new RecordedBitmap(
        other.name(), other.granularity(), other.recording(), geometry.clusterBytes());
  }

  private void publish() {
    recording = kept.stream().filter(RecordedBitmap::recording).toArray(RecordedBitmap[]::new);
    var found = new ArrayList<DirtyBitmap>(kept);
    for (StoredBitmap stored : inFile) {
      if (stored.inUse()) {
        found.add(new PersistentBitmap(stored, image.file.node(), geometry));
      }
    }
    all = List.copyOf(found);
  }

  /** In place; while the directory is half written, nobody may trust it. */
  private void markInUse() throws BlockFault {
    var marked = new ArrayList<StoredBitmap>();
    for (StoredBitmap stored : inFile) {
      marked.add(stored.withFlags(stored.flags() | StoredBitmap.IN_USE));
    }
    trust(false);
    HeaderExtension.Bitmaps extension =
        image.header().extensions().last(HeaderExtension.Bitmaps.class).orElseThrow();
    write(BitmapDirectory.bytes(marked), extension.directory().bytes());
    image.file.node().flush();
    trust(true);
  }

  private void trust(boolean trusted) throws BlockFault {
    Qcow2Header header = image.header();
    if (header.has(AutoclearFeature.BITMAPS) != trusted) {
      long bit = AutoclearFeature.BITMAPS.mask();
      long others = header.autoclear() & ~bit;
      writing.features(header.incompatible(), trusted ? others | bit : others);
    }
  }

  /** Adds a copy of another disk's bitmap, as {@link BlockNode#keepBitmap}. */
  void keep(DirtyBitmap other) throws BlockFault {
    if (geometry.version() < 3) {
      throw new BlockFault(Errno.EINVAL, "Cannot store dirty bitmaps in qcow2 v2 files");
    }
    for (DirtyBitmap there : all) {
      if (there.name().equals(other.name())) {
        throw new BlockFault(Errno.EEXIST, "Bitmap already exists: " + other.name());
      }
    }
    if (all.size() >= Qcow2Limits.BITMAPS_MAX) {
      throw new BlockFault(Errno.EINVAL, "Too many persistent bitmaps");
    }
    RecordedBitmap bitmap = like(other);
    if (!entry(bitmap, geometry.clusterBytes(), entries(bitmap))
        .sound(geometry, image.header().size())) {
      throw new BlockFault(
          Errno.EINVAL, "Too much space will be occupied by the bitmap. Use larger granularity");
    }
    bitmap.add(other, image.header().size());
    kept.addFirst(bitmap);
    publish();
  }

  /** How many clusters the bits of a whole disk fill. */
  private long entries(DirtyBitmap bitmap) {
    long bits = Ranges.unitsFor(image.header().size(), bitmap.granularity());
    return Math.max(1, Ranges.unitsFor(bits, geometry.clusterBytes() * 8L));
  }

  private static StoredBitmap entry(RecordedBitmap bitmap, long at, long entries) {
    return new StoredBitmap(
        new HostOffset(at),
        entries,
        bitmap.recording() ? StoredBitmap.AUTO : 0,
        1,
        Long.numberOfTrailingZeros(bitmap.granularity()),
        bitmap.name(),
        KeptBytes.NONE);
  }

  /** Stores everything at new places and gives the old ones back. Durable when it returns. */
  void store() throws BlockFault {
    if (kept.isEmpty()) {
      return;
    }
    writing.beginAllocating();
    Map<String, StoredBitmap> newer = new HashMap<>();
    for (RecordedBitmap bitmap : kept) {
      newer.put(bitmap.name(), stored(bitmap));
    }
    var entries = new ArrayList<StoredBitmap>();
    var replaced = new ArrayList<StoredBitmap>();
    for (StoredBitmap old : inFile) {
      StoredBitmap instead = newer.remove(old.name());
      entries.add(instead == null ? old : instead);
      if (instead != null) {
        replaced.add(old);
      }
    }
    for (RecordedBitmap bitmap : kept) {
      StoredBitmap added = newer.remove(bitmap.name());
      if (added != null) {
        entries.add(added);
      }
    }
    byte[] bytes = BitmapDirectory.bytes(entries);
    long at = take(bytes.length);
    write(bytes, at);
    writing.writeBack.refcounts();
    var extension =
        new HeaderExtension.Bitmaps(entries.size(), 0, bytes.length, new HostOffset(at));
    List<HeaderExtension.Bitmaps> before =
        image.header().extensions().last(HeaderExtension.Bitmaps.class).stream().toList();
    pointTo(extension);
    if (!inFile.isEmpty()) {
      before.forEach(old -> free(old.directory().bytes(), old.directoryBytes()));
    }
    for (StoredBitmap old : replaced) {
      free(old);
    }
    inFile = entries;
  }

  private long take(long bytes) throws BlockFault {
    int clusters = (int) geometry.clustersFor(bytes);
    return writing.allocator.takeAll(clusters, "bitmap").first() << geometry.clusterBits();
  }

  private void write(byte[] bytes, long at) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(bytes.length, 8);
      out.copyFrom(MemorySegment.ofArray(bytes));
      image.file.write(out, at, 0);
    }
  }

  private StoredBitmap stored(RecordedBitmap bitmap) throws BlockFault {
    long entries = entries(bitmap);
    SortedMap<Integer, long[]> pages = bitmap.pages();
    try (var arena = Arena.ofConfined()) {
      long tableBytes = entries * 8;
      MemorySegment table = arena.allocate(tableBytes, 8);
      MemorySegment bits = arena.allocate(geometry.clusterBytes(), 8);
      for (var page : pages.entrySet()) {
        long[] words = page.getValue();
        MemorySegment.copy(words, 0, bits, LE64, 0, words.length);
        long at = take(geometry.clusterBytes());
        image.file.write(bits, at, 0);
        table.set(BE64, page.getKey() * 8L, at);
      }
      long at = take(tableBytes);
      image.file.write(table, at, 0);
      return entry(bitmap, at, entries);
    }
  }

  /** Untrusted while the header changes, for that is more than one sector. */
  private void pointTo(HeaderExtension.Bitmaps extension) throws BlockFault {
    trust(false);
    Qcow2Header header = image.header();
    var others = new ArrayList<HeaderExtension>();
    for (HeaderExtension one : header.extensions().list()) {
      if (!(one instanceof HeaderExtension.Bitmaps)) {
        others.add(one);
      }
    }
    others.add(extension);
    Qcow2Header newer =
        header.withExtensions(new HeaderExtensions(others, header.extensions().cut()));
    write(newer.toCluster(), 0);
    image.file.node().flush();
    image.header(newer);
    trust(true);
    writing.overlaps.moved(
        Overlaps.Structure.BITMAP_DIRECTORY,
        extension.directory().bytes(),
        extension.directoryBytes());
  }

  private void free(long at, long bytes) {
    for (long i = 0; i < geometry.clustersFor(bytes); i++) {
      writing.freed.add(at + (i << geometry.clusterBits()));
    }
  }

  private void free(StoredBitmap old) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate(old.tableEntries() * 8, 8);
      image.file.read(table, old.table().bytes());
      for (long i = 0; i < old.tableEntries(); i++) {
        long at = table.get(BE64, i * 8) & StoredBitmap.OFFSET_MASK;
        if (at != 0) {
          writing.freed.add(at);
        }
      }
    }
    free(old.table().bytes(), old.tableEntries() * 8);
  }
}
