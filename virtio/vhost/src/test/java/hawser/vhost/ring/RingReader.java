package hawser.vhost.ring;

import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.RingMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A second reading of the rules for chains, slow and plain, to compare the rings with. It judges
 * one chain at a time and knows nothing of what is under way.
 */
final class RingReader {
  private static final int NEXT = 1;
  private static final int WRITE = 2;
  private static final int INDIRECT = 4;

  private final GuestRam ram;
  private final RingMemory ring;
  private final boolean mayBeIndirect;

  /** A descriptor of a chain, its table looked into. */
  record Piece(long address, long bytes, boolean writable) {}

  RingReader(GuestRam ram, RingMemory ring, boolean mayBeIndirect) {
    this.ram = ram;
    this.ring = ring;
    this.mayBeIndirect = mayBeIndirect;
  }

  private MemorySegment descriptor(long table, long index) {
    return ram.at(table + 16 * index, 16);
  }

  /** The chain that begins at a head of a split ring, or null when it breaks a rule. */
  @Nullable List<Piece> split(int head) {
    return head < ring.size() ? linked(ring.descriptors(), head, ring.size(), false) : null;
  }

  private @Nullable List<Piece> linked(long table, int first, int entries, boolean inside) {
    var pieces = new ArrayList<Piece>();
    int index = first;
    for (int seen = 0; seen < entries; seen++) {
      if (!ours(table + 16L * index, 16)) {
        return null;
      }
      MemorySegment at = descriptor(table, index);
      int flags = Cells.u16(at.address() + 12);
      if ((flags & INDIRECT) != 0) {
        return inside ? null : withTable(pieces, at, flags, true);
      }
      pieces.add(piece(at, flags));
      if ((flags & NEXT) == 0) {
        return judged(pieces);
      }
      index = Cells.u16(at.address() + 14);
      if (index >= entries) {
        return null;
      }
    }
    return null;
  }

  /** The chain that begins at a place of a packed ring, or null when it breaks a rule. */
  @Nullable List<Piece> packed(int place) {
    var pieces = new ArrayList<Piece>();
    for (int seen = 0; seen < ring.size(); seen++) {
      MemorySegment at = descriptor(ring.descriptors(), (place + seen) % ring.size());
      int flags = Cells.u16(at.address() + 14);
      if ((flags & INDIRECT) != 0) {
        return seen == 0 ? withTable(pieces, at, flags, false) : null;
      }
      pieces.add(piece(at, flags));
      if ((flags & NEXT) == 0) {
        return judged(pieces);
      }
    }
    return null;
  }

  private @Nullable List<Piece> withTable(
      List<Piece> before, MemorySegment at, int flags, boolean split) {
    long bytes = Integer.toUnsignedLong(Cells.i32(at.address() + 8));
    long table = Cells.i64(at.address());
    if (!mayBeIndirect || (flags & NEXT) != 0 || bytes % 16 != 0 || bytes == 0 || bytes > 16384) {
      return null;
    }
    int entries = (int) (bytes / 16);
    List<Piece> inside = split ? linked(table, 0, entries, true) : listed(table, entries);
    if (inside == null) {
      return null;
    }
    var all = new ArrayList<>(before);
    all.addAll(inside);
    return judged(all);
  }

  private @Nullable List<Piece> listed(long table, int entries) {
    var pieces = new ArrayList<Piece>();
    for (int i = 0; i < entries; i++) {
      if (!ours(table + 16L * i, 16)) {
        return null;
      }
      MemorySegment at = descriptor(table, i);
      pieces.add(piece(at, Cells.u16(at.address() + 14)));
    }
    return pieces;
  }

  private static Piece piece(MemorySegment at, int flags) {
    long bytes = Integer.toUnsignedLong(Cells.i32(at.address() + 8));
    return new Piece(Cells.i64(at.address()), bytes, (flags & WRITE) != 0);
  }

  private @Nullable List<Piece> judged(List<Piece> pieces) {
    boolean writable = false;
    for (Piece piece : pieces) {
      if (piece.bytes == 0 || (writable && !piece.writable) || !ours(piece.address, piece.bytes)) {
        return null;
      }
      writable = piece.writable;
    }
    return pieces.size() <= Chain.PIECES_MAX ? pieces : null;
  }

  private boolean ours(long address, long bytes) {
    for (int i = 0; i < ram.count(); i++) {
      var region = ram.region(i);
      if (hawser.base.Ranges.contains(region.size(), address - region.guestAddress(), bytes)) {
        return address >= region.guestAddress();
      }
    }
    return false;
  }
}
