package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import org.jspecify.annotations.Nullable;

/** Says what a range of the disk is, in extents as long as the tables allow. */
final class Extents {
  private final Image image;
  private final Tables tables;
  private final HostFile data;
  private final @Nullable BlockNode backing;

  /** Whether to ask the file about stored bytes; found out when it is first needed. */
  private volatile @Nullable Boolean preallocated;

  Extents(Image image) {
    this.image = image;
    this.tables = image.tables;
    this.data = image.data;
    this.backing = image.backing;
  }

  /** As {@link BlockNode#extent}, for a range inside the disk. */
  Extent at(long guest, long max) throws BlockFault {
    Run run = new Run();
    tables.lookup(run, guest, max);
    Run.Kind kind = run.kind;
    long host = run.host;
    long length = run.length;
    while (length < max) {
      tables.lookup(run, guest + length, max - length);
      if (!continues(kind, host + length, run)) {
        break;
      }
      length += run.length;
    }
    return switch (kind) {
      case DATA -> stored(guest, length, host);
      case COMPRESSED -> Extent.of(guest, length, Extent.Kind.COMPRESSED);
      case ZERO -> Extent.of(guest, length, Extent.Kind.ZERO);
      case ZERO_RESERVED ->
          new Extent(guest, length, Extent.Kind.ZERO_ALLOCATED, 0, host, data.node());
      case UNALLOCATED -> below(guest, length);
      case UNALLOCATED_RESERVED ->
          backing == null
              ? new Extent(guest, length, Extent.Kind.UNALLOCATED, 0, host, data.node())
              : below(guest, length);
      case INVALID -> throw new AssertionError("an invalid run was let through");
    };
  }

  private boolean continues(Run.Kind kind, long hostEnd, Run next) {
    if (kind.unallocated() && backing != null) {
      return next.kind.unallocated();
    }
    return next.kind == kind && (!kind.hasHost() || next.host == hostEnd);
  }

  /** Stored bytes; of preallocated clusters the file beneath knows whether they were written. */
  private Extent stored(long guest, long length, long host) throws BlockFault {
    BlockNode node = data.node();
    Extent.Kind kind = Extent.Kind.DATA;
    long known = length;
    if (preallocated()) {
      long there = node.length() - host;
      if (there <= 0) {
        kind = Extent.Kind.DATA_ZERO;
      } else {
        Extent below = node.extent(host, Math.min(length, there));
        boolean zero = below.kind().zero();
        kind = zero ? Extent.Kind.DATA_ZERO : Extent.Kind.DATA;
        known = zero && below.length() == there ? length : below.length();
      }
    }
    return new Extent(guest, known, kind, 0, host, node);
  }

  private boolean preallocated() throws BlockFault {
    Boolean known = preallocated;
    if (known == null) {
      known = MetadataPreallocation.in(image.file, image.header());
      preallocated = known;
    }
    return known;
  }

  /** What the backing file says; past its end this image's own zeroes begin. */
  private Extent below(long guest, long length) throws BlockFault {
    if (backing == null) {
      return Extent.of(guest, length, Extent.Kind.UNALLOCATED);
    }
    long there = backing.length() - guest;
    if (there <= 0) {
      return new Extent(guest, length, Extent.Kind.ZERO, 1, Extent.NOWHERE, null);
    }
    return backing.extent(guest, Math.min(length, there)).deeper(1);
  }
}
