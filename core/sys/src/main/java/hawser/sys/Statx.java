package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A struct statx that is filled again and again by {@link PathCalls#statx}. For one thread at a
 * time. {@link Stat} is the short form for disks.
 */
public final class Statx {
  /** {@link #mask}: everything that stat(2) knows. */
  public static final int BASIC_STATS = 0x7ff;

  /** {@link #mask}: when the file was made. */
  public static final int BTIME = 0x800;

  /** {@link #mask}: which mount the file was found on. */
  public static final int MNT_ID = 0x1000;

  private static final long ATTRIBUTE_MOUNT_ROOT = 0x2000;
  private static final int BYTES = 256;

  /** The bits of {@link #mode} that hold the type (S_IFMT). */
  public static final int TYPE = 0xf000;

  /** {@link #type}: a directory. */
  public static final int DIRECTORY = 0x4000;

  /** {@link #type}: a regular file. */
  public static final int REGULAR = 0x8000;

  /** {@link #type}: a symbolic link. */
  public static final int SYMLINK = 0xa000;

  final MemorySegment memory = Arena.ofAuto().allocate(BYTES, 8);

  /** Nothing asked yet. */
  public Statx() {}

  /** Which fields the kernel filled. */
  public int mask() {
    return memory.get(JAVA_INT, 0);
  }

  /** Preferred bytes of a request. */
  public int blockSize() {
    return memory.get(JAVA_INT, 4);
  }

  /** Further properties (STATX_ATTR_...). */
  public long attributes() {
    return memory.get(JAVA_LONG, 8);
  }

  /** How many names it has. */
  public int links() {
    return memory.get(JAVA_INT, 16);
  }

  /** The owner's number. */
  public int uid() {
    return memory.get(JAVA_INT, 20);
  }

  /** The group's number. */
  public int gid() {
    return memory.get(JAVA_INT, 24);
  }

  /** Type and permissions. */
  public int mode() {
    return Short.toUnsignedInt(memory.get(JAVA_SHORT, 28));
  }

  /** The type alone: {@link #DIRECTORY} and the others. */
  public int type() {
    return mode() & TYPE;
  }

  /** The inode's number on its file system. */
  public long inode() {
    return memory.get(JAVA_LONG, 32);
  }

  /** Bytes. */
  public long size() {
    return memory.get(JAVA_LONG, 40);
  }

  /** Units of 512 bytes that are allocated. */
  public long blocks() {
    return memory.get(JAVA_LONG, 48);
  }

  /** Which of {@link #attributes} the file system knows. */
  public long attributesMask() {
    return memory.get(JAVA_LONG, 56);
  }

  /** When it was read last: seconds since 1970. */
  public long atimeSeconds() {
    return memory.get(JAVA_LONG, 64);
  }

  /** When it was read last: nanoseconds further. */
  public int atimeNanos() {
    return memory.get(JAVA_INT, 72);
  }

  /** When it was made: seconds since 1970; 0 where that is not known. */
  public long btimeSeconds() {
    return (mask() & BTIME) == 0 ? 0 : memory.get(JAVA_LONG, 80);
  }

  /** When it was made: nanoseconds further. */
  public int btimeNanos() {
    return (mask() & BTIME) == 0 ? 0 : memory.get(JAVA_INT, 88);
  }

  /** When it or its attributes were changed last: seconds since 1970. */
  public long ctimeSeconds() {
    return memory.get(JAVA_LONG, 96);
  }

  /** When it or its attributes were changed last: nanoseconds further. */
  public int ctimeNanos() {
    return memory.get(JAVA_INT, 104);
  }

  /** When its content was changed last: seconds since 1970. */
  public long mtimeSeconds() {
    return memory.get(JAVA_LONG, 112);
  }

  /** When its content was changed last: nanoseconds further. */
  public int mtimeNanos() {
    return memory.get(JAVA_INT, 120);
  }

  /** Of a device node: its major number. */
  public int deviceMajor() {
    return memory.get(JAVA_INT, 128);
  }

  /** Of a device node: its minor number. */
  public int deviceMinor() {
    return memory.get(JAVA_INT, 132);
  }

  /** The device the file lies on: major number in the upper half, minor in the lower. */
  public long device() {
    return (long) memory.get(JAVA_INT, 136) << 32
        | Integer.toUnsignedLong(memory.get(JAVA_INT, 140));
  }

  /** Which mount it was found on; 0 where the kernel does not tell. */
  public long mount() {
    return (mask() & MNT_ID) == 0 ? 0 : memory.get(JAVA_LONG, 144);
  }

  /** Whether a mount begins here. */
  public boolean mountRoot() {
    return (attributes() & ATTRIBUTE_MOUNT_ROOT) != 0;
  }
}
