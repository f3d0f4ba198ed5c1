package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What block devices answer to (ioctl numbers of Linux's fs.h). A call answers with its result or
 * with a negated error number; all offsets and lengths are bytes. Safe from any thread.
 */
public final class DeviceCalls {
  private static final long BLKROGET = 0x125e;
  private static final long BLKSSZGET = 0x1268;
  private static final long BLKDISCARD = 0x1277;
  private static final long BLKZEROOUT = 0x127f;
  private static final long BLKGETSIZE64 = 0x80081272L;

  private DeviceCalls() {}

  /** The size of the device. */
  public static long size(int fd) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      long result = FileCalls.ioctl(fd, BLKGETSIZE64, out);
      return result < 0 ? result : out.get(JAVA_LONG, 0);
    }
  }

  /** The logical sector size: what direct requests must be aligned to. */
  public static long sectorSize(int fd) {
    return number(fd, BLKSSZGET);
  }

  /** 1 when the device refuses writes, 0 when it takes them. */
  public static long readOnly(int fd) {
    return number(fd, BLKROGET);
  }

  private static long number(int fd, long request) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      long result = FileCalls.ioctl(fd, request, out);
      return result < 0 ? result : out.get(JAVA_INT, 0);
    }
  }

  /** Gives a range of whole sectors back. */
  public static long discard(int fd, long offset, long length) {
    return range(fd, BLKDISCARD, offset, length);
  }

  /** Makes a range of whole sectors read as zeroes. */
  public static long zeroOut(int fd, long offset, long length) {
    return range(fd, BLKZEROOUT, offset, length);
  }

  private static long range(int fd, long request, long offset, long length) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment both = arena.allocate(JAVA_LONG, 2);
      both.set(JAVA_LONG, 0, offset);
      both.set(JAVA_LONG, 8, length);
      return FileCalls.ioctl(fd, request, both);
    }
  }
}
