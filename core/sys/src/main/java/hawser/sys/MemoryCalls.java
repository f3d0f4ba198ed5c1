package hawser.sys;

import static hawser.sys.Native.bind;
import static hawser.sys.Native.broken;
import static hawser.sys.Native.check;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Anonymous files and mappings. A call answers with its result or a negated error number. */
public final class MemoryCalls {
  /** {@link #mmap}: readable. */
  public static final int PROT_READ = 1;

  /** {@link #mmap}: writable. */
  public static final int PROT_WRITE = 2;

  /** {@link #mmap}: stores reach the file. */
  public static final int MAP_SHARED = 1;

  private static final int MFD_CLOEXEC = 1;

  private static final MethodHandle MEMFD_CREATE =
      bind("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle MMAP =
      bind("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MUNMAP = bind("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);

  private MemoryCalls() {}

  /** An anonymous file; {@code name} shows in /proc only. Answers a descriptor. */
  public static long memfdCreate(String name) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var raw = arena.allocateFrom(name);
      return check((int) MEMFD_CREATE.invokeExact(state, raw, MFD_CLOEXEC), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** mmap(2) at an address of the kernel's choice; answers the address. */
  public static long mmap(int fd, long offset, long length, int protection, int flags) {
    try {
      var state = state();
      return check(
          (long) MMAP.invokeExact(state, 0L, length, protection, flags, fd, offset), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** munmap(2). */
  public static long munmap(long address, long length) {
    try {
      var state = state();
      return check((int) MUNMAP.invokeExact(state, address, length), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /**
   * Views a mapping as a segment that lives as long as {@code arena}, which unmaps it when it
   * closes.
   */
  public static MemorySegment view(long address, long length, Arena arena) {
    return MemorySegment.ofAddress(address)
        .reinterpret(length, arena, mapped -> munmap(mapped.address(), length));
  }
}
