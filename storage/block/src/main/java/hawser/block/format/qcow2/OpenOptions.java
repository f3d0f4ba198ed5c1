package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.format.qcow2.layout.CompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
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
    OverlapChecks overlapChecks) {

  /** Which structures are guarded; each includes the ones before it. */
  enum OverlapChecks {
    NONE,
    CONSTANT,
    CACHED,
    ALL
  }

  private static final long L2_CACHE_BYTES_MAX = 32L << 20;
  private static final int SLICE_BYTES = 4096;
  private static final int SLICES_MIN = 2;
  private static final int REFCOUNT_BLOCKS_MIN = 4;
  private static final Set<String> OVERLAP_FLAGS =
      Set.of(
          "main-header",
          "active-l1",
          "active-l2",
          "refcount-table",
          "refcount-block",
          "snapshot-table",
          "inactive-l1",
          "inactive-l2",
          "bitmap-directory");

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
    options.number("cache-clean-interval");
    boolean passOther = options.truth("pass-discard-other").orElse(false);
    OverlapChecks overlap = overlap(options);
    long[] caches = caches(options, header);
    return new OpenOptions(
        caches[0], (int) caches[1], caches[2], lazy, passDiscards, passOther, overlap);
  }

  private static OverlapChecks overlap(Options options) throws BlockFault {
    var given = options.child("overlap-check");
    if (given.isPresent()) {
      Options tree = given.get();
      OverlapChecks checks = overlapNamed(tree.text("template").orElse("cached"));
      for (String flag : tree.left()) {
        if (!OVERLAP_FLAGS.contains(flag)) {
          throw new BlockFault(
              Errno.EINVAL, "Block driver 'qcow2' does not support the option '" + flag + "'");
        }
      }
      return checks;
    }
    return overlapNamed(options.text("overlap-check").orElse("cached"));
  }

  private static OverlapChecks overlapNamed(String name) throws BlockFault {
    return switch (name) {
      case "none" -> OverlapChecks.NONE;
      case "constant" -> OverlapChecks.CONSTANT;
      case "cached" -> OverlapChecks.CACHED;
      case "all" -> OverlapChecks.ALL;
      default ->
          throw new BlockFault(
              Errno.EINVAL,
              "Unsupported value '%s' for qcow2 option 'overlap-check'.".formatted(name)
                  + " Allowed are any of the following: none, constant, cached, all");
    };
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
