package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import org.jspecify.annotations.Nullable;

/** Says what a range of the disk is, in extents as long as the tables allow. */
final class Extents {
  private final Tables tables;
  private final HostFile data;
  private final @Nullable BlockNode backing;

  Extents(Tables tables, HostFile data, @Nullable BlockNode backing) {
    this.tables = tables;
    this.data = data;
    this.backing = backing;
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
      case DATA -> new Extent(guest, length, Extent.Kind.DATA, 0, host, data.node());
      case COMPRESSED -> Extent.of(guest, length, Extent.Kind.COMPRESSED);
      case ZERO -> Extent.of(guest, length, Extent.Kind.ZERO);
      case ZERO_RESERVED ->
          new Extent(guest, length, Extent.Kind.ZERO_ALLOCATED, 0, host, data.node());
      case UNALLOCATED, UNALLOCATED_RESERVED -> below(guest, length);
      case INVALID -> throw new AssertionError("an invalid run was let through");
    };
  }

  private static boolean continues(Run.Kind kind, long hostEnd, Run next) {
    if (kind.unallocated()) {
      return next.kind.unallocated();
    }
    return next.kind == kind && (!kind.hasHost() || next.host == hostEnd);
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
