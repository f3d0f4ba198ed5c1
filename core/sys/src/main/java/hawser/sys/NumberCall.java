package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A function of the C library that takes up to six numbers. Memory goes by its address, so it must
 * be the calling thread's own: nobody else may free it meanwhile. See {@link BufferCall}.
 *
 * <p>Every such function is bound by the same shape, and gets zeroes for the parameters it does not
 * have: it never looks at them, and narrower ones take the low bits. The shape costs the Java
 * platform 5 to 10 ms to make, once, and each further function next to nothing.
 *
 * @param handle takes errno's cell and six longs
 * @param returnsInt whether only the low 32 bits of the result count
 */
record NumberCall(MethodHandle handle, boolean returnsInt) {
  private static final FunctionDescriptor SHAPE =
      FunctionDescriptor.of(
          JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  /** A function that returns a C {@code int}. */
  static NumberCall ofInt(String name) {
    return new NumberCall(Native.bind(name, SHAPE), true);
  }

  /** A function that returns a {@code long} or a pointer. */
  static NumberCall ofLong(String name) {
    return new NumberCall(Native.bind(name, SHAPE), false);
  }

  long call(long a) {
    return call(a, 0, 0, 0, 0, 0);
  }

  long call(long a, long b) {
    return call(a, b, 0, 0, 0, 0);
  }

  long call(long a, long b, long c) {
    return call(a, b, c, 0, 0, 0);
  }

  long call(long a, long b, long c, long d) {
    return call(a, b, c, d, 0, 0);
  }

  /** The result or a negated error number. */
  long call(long a, long b, long c, long d, long e, long f) {
    MemorySegment state = Native.state();
    try {
      long result = (long) handle.invokeExact(state, a, b, c, d, e, f);
      return Native.check(returnsInt ? (int) result : result, state);
    } catch (Throwable failure) {
      throw Native.broken(failure);
    }
  }

  /** As {@link #call}, again whenever a signal came in between. */
  long retry(long a, long b, long c, long d) {
    long result;
    do {
      result = call(a, b, c, d);
    } while (result == Native.INTERRUPTED);
    return result;
  }
}
