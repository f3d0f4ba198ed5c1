package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.RefcountBlock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** The refcount table in memory, as in the file. Needs the image's mutex. */
final class RefcountTable {
  private final MemorySegment entries;
  private final long at;
  private final BitSet unwritten = new BitSet();

  private RefcountTable(MemorySegment entries, long at) {
    this.entries = entries;
    this.at = at;
  }

  /** Reads a table whose size has been judged. */
  static RefcountTable read(HostFile file, long at, long bytes) throws BlockFault {
    RefcountTable empty = empty(at, bytes);
    file.event(BlkdebugEvent.REFTABLE_LOAD);
    file.read(empty.entries, at);
    return empty;
  }

  static RefcountTable empty(long at, long bytes) {
    return new RefcountTable(Arena.ofAuto().allocate(bytes, 4096), at);
  }

  /** A larger table at another place with the same first entries. */
  RefcountTable grown(long newAt, long bytes) {
    RefcountTable bigger = empty(newAt, bytes);
    MemorySegment.copy(entries, 0, bigger.entries, 0, entries.byteSize());
    return bigger;
  }

  long count() {
    return entries.byteSize() / 8;
  }

  long at() {
    return at;
  }

  MemorySegment bytes() {
    return entries;
  }

  /** Where a block lies; 0 when there is none, and all its refcounts are 0. */
  long block(long index) {
    return index < count() ? entries.get(BE64, index << 3) & RefcountBlock.TABLE_OFFSET_MASK : 0;
  }

  void set(long index, long block) {
    entries.set(BE64, index << 3, block);
    unwritten.set((int) index);
  }

  boolean anyUnwritten() {
    return !unwritten.isEmpty();
  }

  /** Writes the entries that the file lacks; the blocks they point to must be durable. */
  void write(HostFile file) throws BlockFault {
    int first = unwritten.nextSetBit(0);
    while (first >= 0) {
      int end = unwritten.nextClearBit(first);
      file.event(BlkdebugEvent.REFBLOCK_ALLOC_HOOKUP);
      file.write(entries.asSlice((long) first << 3, (long) (end - first) << 3), at + first * 8L, 0);
      first = unwritten.nextSetBit(end);
    }
  }

  /** What {@link #write} wrote is durable. */
  void written() {
    unwritten.clear();
  }
}
