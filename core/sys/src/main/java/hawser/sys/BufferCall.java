package hawser.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A function of the C library whose second parameter is memory of somebody else's: it cannot be
 * freed while the call runs. The other parameters are numbers, as with {@link NumberCall}. A call
 * is made again whenever a signal came in between.
 *
 * @param handle takes errno's cell, a long, a segment and three longs
 * @param returnsInt whether only the low 32 bits of the result count
 */
record BufferCall(MethodHandle handle, boolean returnsInt) {
  private static final FunctionDescriptor SHAPE =
      FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  /** A function that returns a C {@code int}. */
  static BufferCall ofInt(String name) {
    return new BufferCall(Native.bind(name, SHAPE), true);
  }

  /** A function that returns a {@code ssize_t}. */
  static BufferCall ofLong(String name) {
    return new BufferCall(Native.bind(name, SHAPE), false);
  }

  long call(long a, MemorySegment memory, long c) {
    return call(a, memory, c, 0, 0);
  }

  long call(long a, MemorySegment memory, long c, long d) {
    return call(a, memory, c, d, 0);
  }

  /** The result or a negated error number. */
  long call(long a, MemorySegment memory, long c, long d, long e) {
    MemorySegment state = Native.state();
    try {
      long result;
      do {
        result = (long) handle.invokeExact(state, a, memory, c, d, e);
        result = Native.check(returnsInt ? (int) result : result, state);
      } while (result == Native.INTERRUPTED);
      return result;
    } catch (Throwable failure) {
      throw Native.broken(failure);
    }
  }
}
