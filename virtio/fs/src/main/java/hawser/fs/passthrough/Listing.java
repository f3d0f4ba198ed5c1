package hawser.fs.passthrough;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.sys.FileCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What has been read ahead of a directory: the kernel gives entries by the dozen, and the guest
 * asks for fewer. Guarded by itself.
 */
final class Listing {
  private static final int BYTES = 32 << 10;
  private static final int NAME_AT = 19;

  private @Nullable MemorySegment entries;
  private long at;
  private long end;

  /** Where the entry at {@link #at} begins in the directory's own count. */
  private long position;

  /** One entry (struct dirent64). */
  record Item(long inode, long next, int type, Name name) {}

  /** Goes to a position that an earlier entry told as the next one's, or to the beginning, 0. */
  void seek(int fd, long offset) throws BlockFault {
    if (offset == position && offset != 0) {
      return;
    }
    Kernel.check(FileCalls.lseek(fd, offset, FileCalls.SEEK_SET));
    at = 0;
    end = 0;
    position = offset;
  }

  /** The entry that is next; null at the end. The same one until {@link #advance}. */
  @Nullable Item peek(int fd) throws BlockFault {
    if (at == end && !fill(fd)) {
      return null;
    }
    MemorySegment from = entries;
    if (from == null) {
      throw new AssertionError("filled without room");
    }
    int length = Short.toUnsignedInt(from.get(JAVA_SHORT, at + 16));
    long nameEnd = at + NAME_AT;
    while (nameEnd < at + length && from.get(JAVA_BYTE, nameEnd) != 0) {
      nameEnd++;
    }
    byte[] name = from.asSlice(at + NAME_AT, nameEnd - at - NAME_AT).toArray(JAVA_BYTE);
    int type = from.get(JAVA_BYTE, at + 18);
    return new Item(from.get(JAVA_LONG, at), from.get(JAVA_LONG, at + 8), type, new Name(name));
  }

  /** Goes past the entry that {@link #peek} told. */
  void advance(Item item) {
    MemorySegment from = entries;
    if (from == null) {
      throw new AssertionError("nothing to go past");
    }
    at += Short.toUnsignedInt(from.get(JAVA_SHORT, at + 16));
    position = item.next();
  }

  private boolean fill(int fd) throws BlockFault {
    if (entries == null) {
      entries = Arena.ofAuto().allocate(BYTES, 8);
    }
    long count = FileCalls.getdents(fd, entries);
    if (count == -Errno.ENOENT.number()) {
      // The directory has been removed: it is empty.
      count = 0;
    }
    at = 0;
    end = Kernel.check(count);
    return end > 0;
  }
}
