package hawser.fs.fuse;

import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import hawser.fs.Name;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Writes the entries of a listing (struct fuse_dirent, fuse_direntplus), as many as fit. */
public final class DirectoryWriter {
  private static final int DIRENT_BYTES = 24;

  private final MemorySegment out;
  private final boolean plus;
  private long at;

  /** Into {@code out}, with what each name leads to where {@code plus}. */
  public DirectoryWriter(MemorySegment out, boolean plus) {
    this.out = out;
    this.plus = plus;
  }

  /** Whether an entry with a name of so many bytes still fits. */
  public boolean fits(int nameBytes) {
    return entryBytes(nameBytes) <= out.byteSize() - at;
  }

  private long entryBytes(int nameBytes) {
    return (plus ? Entry.BYTES : 0) + ((DIRENT_BYTES + nameBytes + 7) & -8L);
  }

  /**
   * Writes an entry, which must fit.
   *
   * @param inode the file's number, as the guest sees it
   * @param next where the listing goes on after it
   * @param type its type as in d_type
   * @param entry what it leads to, where that is told and known
   */
  public void add(long inode, long next, int type, Name name, @Nullable Entry entry) {
    long end = at + entryBytes(name.length());
    out.asSlice(at, end - at).fill((byte) 0);
    if (plus) {
      if (entry != null) {
        entry.write(out, at);
      }
      at += Entry.BYTES;
    }
    out.set(LE64, at, inode);
    out.set(LE64, at + 8, next);
    out.set(LE32, at + 16, name.length());
    out.set(LE32, at + 20, type);
    MemorySegment.copy(
        MemorySegment.ofArray(name.bytes()), 0, out, at + DIRENT_BYTES, name.length());
    at = end;
  }

  /** What has been written. */
  public MemorySegment written() {
    return out.asSlice(0, at);
  }
}
