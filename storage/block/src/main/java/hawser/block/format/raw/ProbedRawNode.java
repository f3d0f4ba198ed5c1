package hawser.block.format.raw;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.NodeInfo;
import hawser.block.Opener;
import hawser.block.filter.FilterNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A raw disk whose format was guessed. A guest must not be able to make the next guess come out
 * differently, for then it would choose what its host opens: writes that would put another format's
 * header into the first sector are refused.
 */
final class ProbedRawNode extends FilterNode {
  /** What decides the guess. */
  private static final int SECTOR_BYTES = 512;

  private final Opener formats;
  private final Object firstSector = new Object();

  ProbedRawNode(RawNode raw, Opener formats) {
    super(raw);
    this.formats = formats;
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    write(new MemorySegment[] {from}, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    if (offset < 0 || offset >= SECTOR_BYTES) {
      below().write(from, offset, flags);
      return;
    }
    synchronized (firstSector) {
      try (var arena = Arena.ofConfined()) {
        MemorySegment[] copied = copy(from, arena);
        check(copied, offset, arena);
        below().write(copied, offset, flags);
      }
    }
  }

  /** The guest may change its own buffer between the check and the write. */
  private static MemorySegment[] copy(MemorySegment[] from, Arena arena) {
    var copied = new MemorySegment[from.length];
    for (int i = 0; i < from.length; i++) {
      copied[i] = arena.allocate(Math.max(from[i].byteSize(), 1), 4096);
      copied[i] = copied[i].asSlice(0, from[i].byteSize()).copyFrom(from[i]);
    }
    return copied;
  }

  private void check(MemorySegment[] from, long offset, Arena arena) throws BlockFault {
    long bytes = Ranges.alignUp(Opener.PROBE_BYTES, SECTOR_BYTES);
    MemorySegment head = arena.allocate(bytes, SECTOR_BYTES);
    long size = below().length();
    below().read(head.asSlice(0, Math.min(bytes, size)), 0);
    long at = offset;
    for (MemorySegment piece : from) {
      long room = Math.min(piece.byteSize(), bytes - at);
      if (room > 0) {
        MemorySegment.copy(piece, 0, head, at, room);
      }
      at += piece.byteSize();
    }
    if (!formats.bestMatch(head.asSlice(0, Math.min(bytes, size)), "").equals("raw")) {
      throw BlockFault.of(Errno.EPERM, "the write would make the disk look like another format");
    }
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    return offset >= SECTOR_BYTES && below().writeNow(from, offset, flags);
  }

  @Override
  public List<BlockNode> children() {
    return below().children();
  }

  @Override
  public NodeInfo info() throws BlockFault {
    return below().info();
  }
}
