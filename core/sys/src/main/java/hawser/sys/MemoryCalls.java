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
  private static final NumberCall MADVISE = NumberCall.ofInt("madvise");
  private static final int MADV_NOHUGEPAGE = 15;
  private static final int MADV_POPULATE_READ = 22;

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
   * Makes pages of a mapping present as if they were read, without any Java thread that reads; the
   * first is whole. EFAULT where the file is shorter, EINVAL before Linux 5.14.
   */
  public static long populate(long address, long length) {
    return MADVISE.retry(address, length, MADV_POPULATE_READ, 0);
  }

  /** Whether {@link #populate} is known here: 0, or EINVAL. */
  public static long canPopulate() {
    return populate(0, 0);
  }

  /** Lets every page of a mapping come on its own; EINVAL where huge pages never come unasked. */
  public static long withoutHugePages(long address, long length) {
    return MADVISE.call(address, length, MADV_NOHUGEPAGE);
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
