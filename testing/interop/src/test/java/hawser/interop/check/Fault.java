package hawser.interop.check;

import static hawser.interop.check.BrokenImage.COMPRESSED;
import static hawser.interop.check.BrokenImage.COPIED;
import static hawser.interop.check.BrokenImage.INCOMPATIBLE;
import static hawser.interop.check.BrokenImage.REFCOUNT_TABLE_CLUSTERS;
import static hawser.interop.check.BrokenImage.SNAPSHOT_COUNT;
import static hawser.interop.check.BrokenImage.SNAPSHOT_TABLE;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * One way in which an image is broken.
 *
 * @param name what is broken
 * @param options creation options of the sound image
 * @param commands what qemu-io ({@code img ...}: qemu-img) does to it before
 * @param damage what is then done to its bytes
 */
record Fault(String name, String options, List<String> commands, Damage damage) {
  private static final String SIZE = "16M";

  /** Changes an image's bytes. */
  @FunctionalInterface
  interface Damage {
    void to(BrokenImage image) throws IOException;
  }

  void make(Path path) throws IOException {
    BrokenImage.make(path, options, SIZE, commands.toArray(String[]::new));
    try (var image = new BrokenImage(path)) {
      damage.to(image);
    }
  }

  @Override
  public String toString() {
    return name;
  }

  private static Fault plain(String name, Damage damage) {
    return new Fault(name, "", List.of("write 0 1M"), damage);
  }

  private static Fault small(String name, String options, Damage damage) {
    return new Fault(name, options, List.of("write 0 1M", "write 5M 100k"), damage);
  }

  private static Fault compressed(String name, Damage damage) {
    return new Fault(name, "", List.of("write -c -P 7 0 256k", "write 1M 64k"), damage);
  }

  private static Fault snapshot(String name, Damage damage) {
    return new Fault(
        name, "", List.of("write 0 256k", "img snapshot -c one", "write 128k 256k"), damage);
  }

  private static Fault subclusters(String name, Damage damage) {
    return new Fault(
        name, "extended_l2=on", List.of("write 0 32k", "write 64k 64k", "write -z 96k 4k"), damage);
  }

  /** What qemu-img also warns of; the warning is the opener's affair. */
  static Fault lostBitmap() {
    return bitmap("bitmap lost", image -> image.u64(BrokenImage.AUTOCLEAR, 0));
  }

  private static Fault bitmap(String name, Damage damage) {
    return new Fault(name, "", List.of("write 0 256k", "img bitmap --add"), damage);
  }

  private static Fault dataFile(String name, Damage damage) {
    return new Fault(name, "data_file=DATA", List.of("write 0 256k"), damage);
  }

  /** All faults; every one is its own test. */
  static List<Fault> all() {
    var all = new java.util.ArrayList<Fault>();
    all.addAll(sound());
    all.addAll(refcounts());
    all.addAll(mapping());
    all.addAll(refcountTable());
    all.addAll(compressedClusters());
    all.addAll(snapshots());
    all.addAll(extended());
    all.addAll(bitmaps());
    all.addAll(header());
    return all;
  }

  private static List<Fault> sound() {
    Damage none = image -> {};
    return List.of(
        plain("sound", none),
        small("sound, version 2", "compat=0.10", none),
        small("sound, 512-byte clusters", "cluster_size=512", none),
        small("sound, 2 MiB clusters", "cluster_size=2M", none),
        small("sound, 1-bit refcounts", "refcount_bits=1,cluster_size=4k", none),
        small("sound, 64-bit refcounts", "refcount_bits=64,cluster_size=4k", none),
        compressed("sound, compressed", none),
        snapshot("sound, with a snapshot", none),
        subclusters("sound, with subclusters", none),
        bitmap("sound, with a bitmap", none),
        dataFile("sound, with a data file", none),
        new Fault("sound and empty", "", List.of(), none),
        new Fault("sound, preallocated", "preallocation=metadata,cluster_size=4k", List.of(), none),
        new Fault(
            "sound, fragmented", "", List.of("write 0 1M", "write 2M 64k", "write 1M 1M"), none));
  }

  private static List<Fault> refcounts() {
    return List.of(
        plain("refcount of a data cluster is 0", i -> i.u16(i.refcount(6), 0)),
        plain("refcount of a data cluster is 2", i -> i.u16(i.refcount(7), 2)),
        plain("refcount of a data cluster is 65535", i -> i.u16(i.refcount(7), 65535)),
        plain("refcount of an unused cluster is 1", i -> i.u16(i.refcount(30), 1)),
        plain("refcount of the header is 0", i -> i.u16(i.refcount(0), 0)),
        plain("refcount of the L2 table is 0", i -> i.u16(i.refcount(4), 0)),
        plain("refcount of the L2 table is 3", i -> i.u16(i.refcount(4), 3)),
        plain(
            "refcounts of many clusters",
            i -> {
              for (int cluster = 0; cluster < 16; cluster++) {
                i.u16(i.refcount(cluster), 5 * cluster % 4);
              }
            }),
        small(
            "overflow of 1-bit refcounts",
            "refcount_bits=1",
            i -> i.u64(i.l2(0, 3), i.u64(i.l2(0, 2)))),
        small("8-bit refcounts", "refcount_bits=8", i -> i.u8(i.u64(i.table(0)) + 6, 250)),
        small("4-bit refcounts", "refcount_bits=4", i -> i.u8(i.u64(i.table(0)) + 3, 0x31)),
        small("2-bit refcounts", "refcount_bits=2", i -> i.u8(i.u64(i.table(0)) + 1, 0x1b)),
        small("32-bit refcounts", "refcount_bits=32", i -> i.u32(i.u64(i.table(0)) + 4 * 7, -1)),
        small("64-bit refcounts", "refcount_bits=64", i -> i.u64(i.u64(i.table(0)) + 8 * 7, -2)),
        new Fault(
            "more than 255 references",
            "cluster_size=4k",
            List.of("write 0 4M"),
            i -> {
              for (int k = 0; k < 300; k++) {
                i.u64(i.l2(0, k), i.u64(i.l2(0, 0)));
              }
            }));
  }

  private static List<Fault> mapping() {
    return List.of(
        plain("COPIED missing in L1", i -> i.flip(i.l1(0), COPIED)),
        plain("COPIED missing in L2", i -> i.flip(i.l2(0, 3), COPIED)),
        plain("COPIED on a shared cluster", i -> i.u64(i.l2(0, 4), i.u64(i.l2(0, 3)))),
        plain("data over the header", i -> i.u64(i.l2(0, 4), 1L << 63)),
        plain("data over the L1 table", i -> i.u64(i.l2(0, 4), COPIED | i.u64(40))),
        plain("data over its own L2 table", i -> i.u64(i.l2(0, 4), i.u64(i.l1(0)))),
        plain("data behind the end", i -> i.u64(i.l2(0, 20), COPIED | 64L << 20)),
        plain("data at the end", i -> i.u64(i.l2(0, 20), COPIED | i.length())),
        plain("data unaligned", i -> i.flip(i.l2(0, 5), 0x200)),
        plain("zero cluster unaligned", i -> i.flip(i.l2(0, 5), 0x201)),
        plain("zero cluster at nothing", i -> i.u64(i.l2(0, 30), 1)),
        plain("L2 entry with reserved bits", i -> i.flip(i.l2(0, 5), 1L << 57 | 4)),
        plain("L1 entry with reserved bits", i -> i.flip(i.l1(0), 1L << 60 | 1)),
        plain("L2 table unaligned", i -> i.flip(i.l1(0), 0x400)),
        plain("L2 table behind the end", i -> i.u64(i.l1(0), COPIED | 1L << 40)),
        plain("L2 table is the L1 table", i -> i.u64(i.l1(0), COPIED | i.u64(40))),
        plain("L2 table is the header", i -> i.u64(i.l1(0), COPIED)),
        plain("file cut in its last cluster", i -> i.length(i.length() - 1000)),
        plain("file cut by two clusters", i -> i.length(i.length() - 2 * i.cluster())),
        plain("file cut to its header", i -> i.length(i.cluster())),
        small(
            "512-byte clusters, L2 shared by two L1 entries",
            "cluster_size=512",
            i -> i.u64(i.l1(3), i.u64(i.l1(2)))),
        small(
            "version 2, reserved bits and zero flag", "compat=0.10", i -> i.flip(i.l2(0, 2), 0x5)),
        dataFile("data file: COPIED missing", i -> i.flip(i.l2(0, 1), COPIED)),
        dataFile("data file: compressed cluster", i -> i.u64(i.l2(0, 2), COMPRESSED | 0x12345)),
        dataFile(
            "data file: a snapshot", i -> i.u32(SNAPSHOT_COUNT, 1).u64(SNAPSHOT_TABLE, i.u64(40))));
  }

  private static List<Fault> refcountTable() {
    return List.of(
        plain("refcount block behind the end", i -> i.u64(i.table(0), 1L << 30)),
        plain("refcount block far behind the end", i -> i.u64(i.table(0), 1L << 62)),
        plain("second refcount block behind the end", i -> i.u64(i.table(1), 1L << 30)),
        plain("refcount block unaligned", i -> i.flip(i.table(0), 0x200)),
        plain("refcount table entry with reserved bits", i -> i.flip(i.table(0), 1)),
        plain("refcount block is the refcount table", i -> i.u64(i.table(0), i.u64(48))),
        plain("refcount block used twice", i -> i.u64(i.table(1), i.u64(i.table(0)))),
        plain("refcount block missing", i -> i.u64(i.table(0), 0)),
        plain("no refcount table", i -> i.u32(REFCOUNT_TABLE_CLUSTERS, 0)),
        plain("refcount table behind the end", i -> i.u64(48, 1L << 30)),
        plain("refcount table over the L1 table", i -> i.u64(48, i.u64(40))),
        plain("refcount table unaligned", i -> i.u64(48, i.u64(48) + 8)),
        plain("refcount table too large", i -> i.u32(REFCOUNT_TABLE_CLUSTERS, 1 << 20)));
  }

  private static List<Fault> compressedClusters() {
    return List.of(
        compressed("compressed behind the end", i -> i.u64(i.l2(0, 1), COMPRESSED | 1L << 40)),
        compressed(
            "compressed over the end",
            i -> i.u64(i.l2(0, 1), COMPRESSED | 127L << 54 | (i.length() - 512))),
        compressed("compressed with COPIED", i -> i.flip(i.l2(0, 1), COPIED)),
        compressed("compressed over the header", i -> i.u64(i.l2(0, 1), COMPRESSED | 100)),
        compressed(
            "compressed and data share a cluster",
            i -> i.u64(i.l2(0, 2), COPIED | (i.u64(i.l2(0, 1)) & 0x3fffffffff0000L))));
  }

  private static List<Fault> snapshots() {
    return List.of(
        snapshot("snapshot L1 unaligned", i -> i.u64(i.snapshot(), i.u64(i.snapshot()) + 512)),
        snapshot("snapshot L1 too large", i -> i.u32(i.snapshot() + 8, 1 << 30)),
        snapshot("snapshot L1 behind the end", i -> i.u64(i.snapshot(), 1L << 40)),
        snapshot("snapshot L1 beyond all offsets", i -> i.u64(i.snapshot(), 1L << 63)),
        snapshot("snapshot L1 is the active one", i -> i.u64(i.snapshot(), i.u64(40))),
        snapshot("snapshot without extra data", i -> i.u32(i.snapshot() + 36, 0)),
        snapshot("snapshot with too much extra data", i -> i.u32(i.snapshot() + 36, 4000)),
        snapshot("snapshot table behind the end", i -> i.u64(SNAPSHOT_TABLE, 1L << 40)),
        snapshot("snapshot table unaligned", i -> i.u64(SNAPSHOT_TABLE, i.snapshot() + 8)),
        snapshot("too many snapshots", i -> i.u32(SNAPSHOT_COUNT, 70000)),
        snapshot("more snapshots than there are", i -> i.u32(SNAPSHOT_COUNT, 3)),
        snapshot("snapshot lost", i -> i.u32(SNAPSHOT_COUNT, 0)),
        snapshot(
            "snapshot L2 entry with reserved bits",
            i -> {
              long l2 = i.u64(i.u64(i.snapshot())) & 0xfffffffffe00L;
              i.flip(l2, 1L << 58);
            }));
  }

  private static List<Fault> extended() {
    return List.of(
        subclusters(
            "subcluster allocated and zero",
            i -> i.u64(i.extendedL2(0, 0) + 8, 0x0000_0001_0000_ffffL)),
        subclusters("subclusters of nothing", i -> i.u64(i.extendedL2(0, 5) + 8, 0xff)),
        subclusters("zero subclusters of nothing", i -> i.u64(i.extendedL2(0, 5) + 8, 0xffL << 32)),
        subclusters("subclusters unaligned", i -> i.flip(i.extendedL2(0, 0), 0x800)),
        subclusters(
            "zero subclusters unaligned",
            i -> i.flip(i.extendedL2(0, 0), 0x800).u64(i.extendedL2(0, 0) + 8, -1L << 32)),
        subclusters(
            "compressed with subclusters",
            i -> i.u64(i.extendedL2(0, 4), COMPRESSED | 0x50000).u64(i.extendedL2(0, 4) + 8, 1)),
        subclusters("subclusters with the zero flag", i -> i.flip(i.extendedL2(0, 0), 1)));
  }

  private static List<Fault> bitmaps() {
    return List.of(
        bitmap("bitmap table over the header", i -> i.u64(i.bitmap(), 0)),
        bitmap("bitmap table over the L1 table", i -> i.u64(i.bitmap(), i.u64(40))),
        bitmap("bitmap table behind the end", i -> i.u64(i.bitmap(), 1L << 40)),
        bitmap(
            "bitmap table entry points to the L2 table",
            i -> i.u64(i.u64(i.bitmap()), i.u64(i.l1(0)) & ~COPIED)),
        bitmap("bitmap table entry is reserved", i -> i.u64(i.u64(i.bitmap()), 2)),
        bitmap("bitmap directory over the L1 table", i -> i.u64(i.bitmaps() + 16, i.u64(40))),
        bitmap("bitmap directory behind the end", i -> i.u64(i.bitmaps() + 16, 1L << 40)),
        bitmap("bitmap in use", i -> i.u32(i.bitmap() + 12, 1)),
        bitmap("bitmap of a strange granularity", i -> i.u8(i.bitmap() + 17, 63)));
  }

  private static List<Fault> header() {
    return List.of(
        plain("dirty bit", i -> i.flip(INCOMPATIBLE, 1)),
        plain(
            "dirty bit and no refcounts",
            i -> {
              i.flip(INCOMPATIBLE, 1);
              for (int cluster = 4; cluster < 21; cluster++) {
                i.u16(i.refcount(cluster), 0);
              }
            }),
        plain("corrupt bit", i -> i.flip(INCOMPATIBLE, 2)),
        plain("unknown incompatible bit", i -> i.flip(INCOMPATIBLE, 1L << 40)),
        plain("L1 table too small", i -> i.u32(BrokenImage.L1_ENTRIES, 0)),
        plain("L1 table behind the end", i -> i.u64(40, 1L << 40)),
        plain("L1 table too large", i -> i.u32(BrokenImage.L1_ENTRIES, 1 << 29)),
        plain("cluster size out of range", i -> i.u32(20, 30)),
        plain("refcount order out of range", i -> i.u32(96, 7)),
        plain("disk size beyond the L1 table", i -> i.u64(24, 1L << 50)));
  }
}
