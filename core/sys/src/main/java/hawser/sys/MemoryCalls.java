package hawser.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Anonymous files and mappings. A call answers with its result or a negated error number. */
public final class MemoryCalls {
  /** {@link #mmap}: readable. */
  public static final int PROT_READ = 1;

  /** {@link #mmap}: writable. */
  public static final int PROT_WRITE = 2;

  /** {@link #mmap}: stores reach the file. */
  public static final int MAP_SHARED = 1;

  /** {@link #mmap}: no swap space is set aside. */
  public static final int MAP_NORESERVE = 0x4000;

  private static final int MFD_CLOEXEC = 1;

  private static final NumberCall MEMFD_CREATE = NumberCall.ofInt("memfd_create");
  private static final NumberCall MMAP = NumberCall.ofLong("mmap");
  private static final NumberCall MUNMAP = NumberCall.ofInt("munmap");

  private MemoryCalls() {}

  /** An anonymous file; {@code name} shows in /proc only. Answers a descriptor. */
  public static long memfdCreate(String name) {
    try (var arena = Arena.ofConfined()) {
      return MEMFD_CREATE.call(arena.allocateFrom(name).address(), MFD_CLOEXEC);
    }
  }

  /** mmap(2) at an address of the kernel's choice; answers the address. */
  public static long mmap(int fd, long offset, long length, int protection, int flags) {
    return MMAP.call(0, length, protection, flags, fd, offset);
  }

  /** munmap(2). */
  public static long munmap(long address, long length) {
    return MUNMAP.call(address, length);
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
