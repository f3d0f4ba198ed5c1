package hawser.vhost.ring;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import hawser.base.Wire;
import hawser.sys.HostMemory;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Little-endian numbers at host addresses, as rings and their records hold them. Those that order
 * memory must be aligned to their size.
 */
public final class Cells {
  private static final ValueLayout.OfShort SHORT = JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle ORDERED_SHORT = SHORT.varHandle();
  private static final VarHandle ORDERED_BYTE = JAVA_BYTE.varHandle();

  private Cells() {}

  /** An unsigned byte. */
  public static int u8(long address) {
    return Byte.toUnsignedInt(HostMemory.ALL.get(JAVA_BYTE, address));
  }

  /** Stores a byte. */
  public static void put8(long address, int value) {
    HostMemory.ALL.set(JAVA_BYTE, address, (byte) value);
  }

  /** Stores a byte after everything stored before it. */
  public static void release8(long address, int value) {
    ORDERED_BYTE.setRelease(HostMemory.ALL, address, (byte) value);
  }

  /** 16 bits, unsigned. */
  public static int u16(long address) {
    return Short.toUnsignedInt(HostMemory.ALL.get(Wire.LE16, address));
  }

  /** Stores 16 bits. */
  public static void put16(long address, int value) {
    HostMemory.ALL.set(Wire.LE16, address, (short) value);
  }

  /** 16 bits, unsigned, before everything read after them; aligned. */
  public static int acquire16(long address) {
    return Short.toUnsignedInt((short) ORDERED_SHORT.getAcquire(HostMemory.ALL, address));
  }

  /** Stores 16 bits after everything stored before them; aligned. */
  public static void release16(long address, int value) {
    ORDERED_SHORT.setRelease(HostMemory.ALL, address, (short) value);
  }

  /** 32 bits. */
  public static int i32(long address) {
    return HostMemory.ALL.get(Wire.LE32, address);
  }

  /** Stores 32 bits. */
  public static void put32(long address, int value) {
    HostMemory.ALL.set(INT, address, value);
  }

  /** 64 bits. */
  public static long i64(long address) {
    return HostMemory.ALL.get(Wire.LE64, address);
  }

  /** Stores 64 bits. */
  public static void put64(long address, long value) {
    HostMemory.ALL.set(Wire.LE64, address, value);
  }
}
