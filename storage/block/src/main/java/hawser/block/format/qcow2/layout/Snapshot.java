package hawser.block.format.qcow2.layout;

import static hawser.base.Wire.BE16;
import static hawser.base.Wire.BE32;
import static hawser.base.Wire.BE64;

import java.lang.foreign.MemorySegment;

/**
 * One internal snapshot ("Snapshot table entry"). The mapping of its disk is an L1 table of its
 * own; the guest's memory lies in the same mapping behind the disk.
 *
 * @param l1Table where its L1 table is
 * @param l1Entries how many entries that has, unsigned 32 bits
 * @param id unique, usually a small number
 * @param name chosen by a person
 * @param seconds when it was taken, since 1970
 * @param nanoseconds the rest of that time
 * @param vmClock how long the guest had run, nanoseconds
 * @param vmStateBytes bytes of guest memory and device state; 0 without
 * @param diskBytes size of the disk at that time
 * @param icount instructions executed, or -1
 * @param extra all extra data as it lies in the file, known parts included
 */
public record Snapshot(
    long l1Table,
    long l1Entries,
    String id,
    String name,
    long seconds,
    long nanoseconds,
    long vmClock,
    long vmStateBytes,
    long diskBytes,
    long icount,
    KeptBytes extra) {

  /** Bytes of the part of an entry that is always there. */
  public static final int FIXED_BYTES = 40;

  /**
   * Puts an entry together from its parts in the file.
   *
   * @param diskBytesNow the disk's size now, for entries that do not say what it was
   */
  static Snapshot of(MemorySegment fixed, byte[] extra, String id, String name, long diskBytesNow) {
    MemorySegment more = MemorySegment.ofArray(extra);
    return new Snapshot(
        fixed.get(BE64, 0),
        Integer.toUnsignedLong(fixed.get(BE32, 8)),
        id,
        name,
        Integer.toUnsignedLong(fixed.get(BE32, 16)),
        Integer.toUnsignedLong(fixed.get(BE32, 20)),
        fixed.get(BE64, 24),
        extra.length >= 8 ? more.get(BE64, 0) : Integer.toUnsignedLong(fixed.get(BE32, 32)),
        extra.length >= 16 ? more.get(BE64, 8) : diskBytesNow,
        extra.length >= 24 ? more.get(BE64, 16) : -1,
        new KeptBytes(extra));
  }

  static int idBytes(MemorySegment fixed) {
    return Short.toUnsignedInt(fixed.get(BE16, 12));
  }

  static int nameBytes(MemorySegment fixed) {
    return Short.toUnsignedInt(fixed.get(BE16, 14));
  }

  static long extraBytes(MemorySegment fixed) {
    return Integer.toUnsignedLong(fixed.get(BE32, 36));
  }
}
