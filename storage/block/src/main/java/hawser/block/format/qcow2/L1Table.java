package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * An L1 table in memory, as in the file. Entries change under the image's mutex and write view;
 * which of them still have to be written is remembered here.
 */
final class L1Table {
  private final MemorySegment entries;
  private final int count;
  private final long at;
  private final BitSet unwritten = new BitSet();

  private L1Table(MemorySegment entries, int count, long at) {
    this.entries = entries;
    this.count = count;
    this.at = at;
  }

  /** Reads a table whose size has been judged. */
  static L1Table read(HostFile file, long at, int count) throws BlockFault {
    MemorySegment entries = room(count);
    if (count > 0) {
      file.read(entries, at);
    }
    return new L1Table(entries, count, at);
  }

  /** Memory that lives as long as somebody may read it: lookups take no lock. */
  private static MemorySegment room(int count) {
    return Arena.ofAuto().allocate(Math.max(count, 1) * 8L, 4096).asSlice(0, count * 8L);
  }

  /** A longer table at another place with the same first entries; nothing is written yet. */
  L1Table grown(int newCount, long newAt) {
    MemorySegment bigger = room(newCount);
    MemorySegment.copy(entries, 0, bigger, 0, entries.byteSize());
    return new L1Table(bigger, newCount, newAt);
  }

  int count() {
    return count;
  }

  /** Where it lies in the file. */
  long at() {
    return at;
  }

  long get(long index) {
    return entries.get(BE64, index << 3);
  }

  void set(int index, long entry) {
    entries.set(BE64, (long) index << 3, entry);
    unwritten.set(index);
  }

  /** Entries that the file does not have yet. */
  BitSet unwritten() {
    return unwritten;
  }

  MemorySegment bytes() {
    return entries;
  }
}
