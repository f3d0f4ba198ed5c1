package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Binds functions of the C library so that each thread has its own place for errno. */
final class Native {
  /** What {@link #check} answers for EINTR. */
  static final long INTERRUPTED = -4;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
  private static final long ERRNO_OFFSET =
      Linker.Option.captureStateLayout().byteOffset(MemoryLayout.PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));

  private Native() {}

  /** A function whose first Java parameter is the segment from {@link #state()}. */
  static MethodHandle bind(String name, FunctionDescriptor shape) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape, CAPTURE);
  }

  /**
   * As {@link #bind}, for a C function with {@code ...} after its first {@code fixed} parameters;
   * the calling convention may differ for those.
   */
  static MethodHandle bindVariadic(
      String name, int fixed, ValueLayout result, ValueLayout... parameters) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, parameters),
        CAPTURE,
        Linker.Option.firstVariadicArg(fixed));
  }

  /** This thread's errno cell. */
  static MemorySegment state() {
    return STATE.get();
  }

  /** {@code result} itself, or the negated errno when the call said -1. */
  static long check(long result, MemorySegment state) {
    return result == -1 ? -state.get(JAVA_INT, ERRNO_OFFSET) : result;
  }

  /** What a method handle throws only if the binding itself is wrong. */
  static AssertionError broken(Throwable cause) {
    return new AssertionError("native binding", cause);
  }
}
