package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.format.qcow2.layout.CompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The runtime options of an image, with QEMU's names, defaults and refusals.
 *
 * @param l2CacheBytes room for L2 slices
 * @param l2SliceBytes bytes of one slice
 * @param refcountCacheBytes room for refcount blocks
 * @param lazyRefcounts whether refcounts may be written late, under the dirty bit
 * @param passDiscards whether clusters freed by the guest's discards are discarded in the file
 * @param passOtherDiscards whether clusters freed otherwise are
 * @param overlapChecks which structures are guarded against being overwritten
 */
record OpenOptions(
    long l2CacheBytes,
    int l2SliceBytes,
    long refcountCacheBytes,
    boolean lazyRefcounts,
    boolean passDiscards,
    boolean passOtherDiscards,
    Set<Overlaps.Structure> overlapChecks) {

  private static final long L2_CACHE_BYTES_MAX = 32L << 20;
  private static final int SLICE_BYTES = 4096;
  private static final int SLICES_MIN = 2;
  private static final int REFCOUNT_BLOCKS_MIN = 4;

  /** The longest interval between cleanings of the cache, in seconds: 32 bits. */
  private static final long SECONDS_MAX = 0xffff_ffffL;

  /** As {@link hawser.block.Driver#joined}. */
  static Options joined(Options older, Options newer) {
    if (newer.has("cache-size")) {
      older.any("l2-cache-size");
      older.any("refcount-cache-size");
    }
    Options joined = older;
    newer.tree().members().forEach(joined::put);
    if (joined.has("l2-cache-size")
        && joined.has("refcount-cache-size")
        && !newer.has("cache-size")) {
      joined.any("cache-size");
    }
    return joined;
  }

  /** Takes the options out of {@code options}. */
  static OpenOptions take(Options options, OpenMode mode, Qcow2Header header) throws BlockFault {
    boolean lazy =
        options.truth("lazy-refcounts").orElse(header.has(CompatibleFeature.LAZY_REFCOUNTS));
    if (lazy && header.version() < 3) {
      throw new BlockFault(
          Errno.EINVAL,
          "Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level");
    }
    boolean passDiscards = options.truth("pass-discard-request").orElse(mode.unmap());
    // Snapshots are not freed here, and a timer that empties the cache is not needed: the memory of
    // a slice is small and taken when it is first used.
    options.truth("pass-discard-snapshot");
    options.truth("discard-no-unref");
    long interval = options.number("cache-clean-interval").orElse(0);
    if (interval < 0 || interval > SECONDS_MAX) {
      throw new BlockFault(Errno.EINVAL, "Cache clean interval too big");
    }
    boolean passOther = options.truth("pass-discard-other").orElse(false);
    Set<Overlaps.Structure> overlap = overlap(options);
    long[] caches = caches(options, header);
    return new OpenOptions(
        caches[0], (int) caches[1], caches[2], lazy, passDiscards, passOther, overlap);
  }

  /** A template, and for each structure a flag that overrides it. */
  private static Set<Overlaps.Structure> overlap(Options options) throws BlockFault {
    Options flags = options.group("overlap-check");
    Optional<String> template = flags.text("template");
    String name =
        template.isPresent() ? template.get() : options.text("overlap-check").orElse("cached");
    Set<Overlaps.Structure> guarded = Overlaps.template(name);
    for (Overlaps.Structure structure : Overlaps.Structure.values()) {
      Optional<Boolean> said = flags.truth(structure.option());
      if (said.isPresent()) {
        if (said.get()) {
          guarded.add(structure);
        } else {
          guarded.remove(structure);
        }
      }
    }
    for (String flag : flags.left()) {
      throw new BlockFault(
          Errno.EINVAL,
          "Block format 'qcow2' does not support the option 'overlap-check." + flag + "'");
    }
    return guarded;
  }

  /** L2 cache bytes, slice bytes, refcount cache bytes. */
  private static long[] caches(Options options, Qcow2Header header) throws BlockFault {
    var geometry = header.geometry();
    int cluster = geometry.clusterBytes();
    OptionalLong combined = options.size("cache-size");
    OptionalLong l2Set = options.size("l2-cache-size");
    OptionalLong refcountSet = options.size("refcount-cache-size");
    OptionalLong sliceSet = options.size("l2-cache-entry-size");
    long cover =
        Ranges.alignUp(geometry.clustersFor(header.size()) * geometry.l2EntryBytes(), cluster);
    long l2 = Math.min(cover, l2Set.orElse(L2_CACHE_BYTES_MAX));
    long refcount = refcountSet.orElse(0);
    long refcountMin = (long) REFCOUNT_BLOCKS_MIN * cluster;
    if (combined.isPresent()) {
      long all = combined.getAsLong();
      refuseContradiction(all, l2Set, refcountSet);
      if (l2Set.isPresent()) {
        refcount = all - l2;
      } else if (refcountSet.isPresent()) {
        l2 = all - refcount;
      } else {
        refcount = all >= cover + refcountMin ? all - cover : Math.min(all, refcountMin);
        l2 = all - refcount;
      }
    }
    long slice = sliceSet.orElse(l2 < cover ? Math.min(cluster, SLICE_BYTES) : cluster);
    if (slice < 512 || slice > cluster || Long.bitCount(slice) != 1) {
      throw new BlockFault(
          Errno.EINVAL,
          "L2 cache entry size must be a power of two between 512 and the cluster size (%d)"
              .formatted(cluster));
    }
    l2 = Math.max(l2, SLICES_MIN * slice);
    if (l2 / slice > Integer.MAX_VALUE / 2) {
      throw new BlockFault(Errno.EINVAL, "L2 cache size too big");
    }
    refcount = Math.max(refcount, refcountMin);
    if (refcount / cluster > Integer.MAX_VALUE / 2) {
      throw new BlockFault(Errno.EINVAL, "Refcount cache size too big");
    }
    return new long[] {l2, slice, refcount};
  }

  private static void refuseContradiction(long all, OptionalLong l2Set, OptionalLong refcountSet)
      throws BlockFault {
    if (l2Set.isPresent() && refcountSet.isPresent()) {
      throw new BlockFault(
          Errno.EINVAL,
          "cache-size, l2-cache-size and refcount-cache-size may not be set at the same time");
    }
    if (l2Set.isPresent() && l2Set.getAsLong() > all) {
      throw new BlockFault(Errno.EINVAL, "l2-cache-size may not exceed cache-size");
    }
    if (refcountSet.isPresent() && refcountSet.getAsLong() > all) {
      throw new BlockFault(Errno.EINVAL, "refcount-cache-size may not exceed cache-size");
    }
  }

  /** Refuses {@code encrypt} options of an image that is not encrypted, and encrypted images. */
  static void refuseEncryption(Options options, Qcow2Header header) throws BlockFault {
    Json given = options.any("encrypt").orElse(null);
    if (header.cryptMethod() != 0) {
      throw new BlockFault(
          Errno.EOPNOTSUPP,
          "the image is encrypted (%s), which is not supported"
              .formatted(header.cryptMethod() == 1 ? "aes" : "luks"));
    }
    if (given != null) {
      throw new BlockFault(
          Errno.EINVAL, "No encryption in image header, but options specified format 'luks'");
    }
  }
}
