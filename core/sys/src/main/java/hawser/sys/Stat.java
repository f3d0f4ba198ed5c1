package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import hawser.base.BlockFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the kernel says of an open file (struct statx).
 *
 * @param kind the file's kind
 * @param size apparent size in bytes; 0 for a block device
 * @param storedBytes bytes of blocks that are allocated
 * @param blockSize preferred input/output size in bytes
 * @param deviceMajor major number of the device the file lies on
 * @param deviceMinor minor number of that device
 * @param inode inode number
 * @param directMemory what buffers of direct requests must be aligned to; 0 when not known
 * @param directOffset what offsets and lengths of direct requests must be aligned to; 0 when not
 *     known or not possible
 */
public record Stat(
    Kind kind,
    long size,
    long storedBytes,
    int blockSize,
    int deviceMajor,
    int deviceMinor,
    long inode,
    int directMemory,
    int directOffset) {

  /** The kinds of file that matter to disks and sockets. */
  public enum Kind {
    /** A regular file. */
    REGULAR,
    /** A block device. */
    BLOCK_DEVICE,
    /** A character device. */
    CHARACTER_DEVICE,
    /** A directory. */
    DIRECTORY,
    /** A socket. */
    SOCKET,
    /** Anything else. */
    OTHER
  }

  /** Asks about an open descriptor; {@code name} is for the fault's words. */
  public static Stat of(int fd, String name) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment stat = FileCalls.allocateStat(arena);
      Result.orFault(FileCalls.fstat(fd, stat), "Could not stat '" + name + "'");
      return new Stat(
          kindOf(stat.get(JAVA_SHORT, 28)),
          stat.get(JAVA_LONG, 40),
          stat.get(JAVA_LONG, 48) * 512,
          stat.get(JAVA_INT, 4),
          stat.get(JAVA_INT, 136),
          stat.get(JAVA_INT, 140),
          stat.get(JAVA_LONG, 32),
          stat.get(JAVA_INT, 152),
          stat.get(JAVA_INT, 156));
    }
  }

  private static Kind kindOf(short mode) {
    return switch (mode & 0xf000) {
      case 0x8000 -> Kind.REGULAR;
      case 0x6000 -> Kind.BLOCK_DEVICE;
      case 0x2000 -> Kind.CHARACTER_DEVICE;
      case 0x4000 -> Kind.DIRECTORY;
      case 0xc000 -> Kind.SOCKET;
      default -> Kind.OTHER;
    };
  }
}
