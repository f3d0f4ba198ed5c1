package hawser.block.format.qcow2.layout;

import static hawser.base.Wire.BE16;
import static hawser.base.Wire.BE32;
import static hawser.base.Wire.BE64;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * Reading and changing of refcounts of every width ("Refcount block entry"). Widths below one byte
 * start at the least significant bit. Values are unsigned.
 */
public final class RefcountBlock {
  /** The bits of a refcount table entry that hold a block's offset: 9 to 63. */
  public static final long TABLE_OFFSET_MASK = 0xfffffffffffffe00L;

  private RefcountBlock() {}

  /** The refcount with that index, its width being {@code 1 << order} bits. */
  public static long get(MemorySegment block, int order, long index) {
    return switch (order) {
      case 0, 1, 2 -> {
        int perByteBits = 3 - order;
        int at = (int) (index & ((1 << perByteBits) - 1)) << order;
        yield (block.get(JAVA_BYTE, index >>> perByteBits) >>> at) & ((1 << (1 << order)) - 1);
      }
      case 3 -> block.get(JAVA_BYTE, index) & 0xffL;
      case 4 -> block.get(BE16, index << 1) & 0xffffL;
      case 5 -> Integer.toUnsignedLong(block.get(BE32, index << 2));
      case 6 -> block.get(BE64, index << 3);
      default -> throw new AssertionError("refcount order " + order);
    };
  }

  /** Stores a refcount, which must fit into the width. */
  public static void set(MemorySegment block, int order, long index, long value) {
    switch (order) {
      case 0, 1, 2 -> {
        int perByteBits = 3 - order;
        int at = (int) (index & ((1 << perByteBits) - 1)) << order;
        int mask = ((1 << (1 << order)) - 1) << at;
        int old = block.get(JAVA_BYTE, index >>> perByteBits);
        block.set(JAVA_BYTE, index >>> perByteBits, (byte) ((old & ~mask) | ((int) value << at)));
      }
      case 3 -> block.set(JAVA_BYTE, index, (byte) value);
      case 4 -> block.set(BE16, index << 1, (short) value);
      case 5 -> block.set(BE32, index << 2, (int) value);
      case 6 -> block.set(BE64, index << 3, value);
      default -> throw new AssertionError("refcount order " + order);
    }
  }
}
