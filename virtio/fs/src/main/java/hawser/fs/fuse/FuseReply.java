package hawser.fs.fuse;

import static hawser.base.Wire.LE16;
import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/** What a request is answered with, without the reply's header; it writes itself. */
public sealed interface FuseReply {
  /** Bytes of what {@link #write} writes; most replies have a structure after the header. */
  default long bytes() {
    return 0;
  }

  /** Writes the reply's structure at {@code at}. */
  default void write(MemorySegment out, long at) {}

  /** Bytes of the header of a reply (struct fuse_out_header). */
  int HEADER_BYTES = 16;

  /** Writes a reply's header: {@code length} with the header, {@code error} 0 or negated. */
  static void writeHeader(MemorySegment out, long length, int error, long unique) {
    out.set(LE32, 0, (int) length);
    out.set(LE32, 4, error);
    out.set(LE64, 8, unique);
  }

  /** No reply at all: FORGET has none. */
  record None() implements FuseReply {}

  /** Done, with nothing to tell. */
  record Done() implements FuseReply {}

  /**
   * Not done.
   *
   * @param errno Linux's error number, positive
   */
  record Failed(int errno) implements FuseReply {}

  /** Bytes as they are: a link's target, an attribute's value, a listing. */
  record Data(MemorySegment content) implements FuseReply {
    @Override
    public long bytes() {
      return content.byteSize();
    }

    @Override
    public void write(MemorySegment out, long at) {
      MemorySegment.copy(content, 0, out, at, content.byteSize());
    }
  }

  /** What a name leads to. */
  record Found(Entry entry) implements FuseReply {
    @Override
    public long bytes() {
      return Entry.BYTES;
    }

    @Override
    public void write(MemorySegment out, long at) {
      entry.write(out, at);
    }
  }

  /** A file has been opened. */
  record Opened(OpenOut open) implements FuseReply {
    @Override
    public long bytes() {
      return OpenOut.BYTES;
    }

    @Override
    public void write(MemorySegment out, long at) {
      open.write(out, at);
    }
  }

  /** A file has been made and opened. */
  record Created(Entry entry, OpenOut open) implements FuseReply {
    @Override
    public long bytes() {
      return Entry.BYTES + OpenOut.BYTES;
    }

    @Override
    public void write(MemorySegment out, long at) {
      entry.write(out, at);
      open.write(out, at + Entry.BYTES);
    }
  }

  /** An inode's attributes, and how long they may be believed. */
  record Status(Attributes attributes, Time valid) implements FuseReply {
    @Override
    public long bytes() {
      return 16 + Attributes.BYTES;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.set(LE64, at, valid.seconds());
      out.set(LE32, at + 8, valid.nanos());
      out.set(LE32, at + 12, 0);
      attributes.write(out, at + 16);
    }
  }

  /** STATX's answer. */
  record ExtendedStatus(StatxAttributes attributes, Time valid) implements FuseReply {
    @Override
    public long bytes() {
      return 32 + StatxAttributes.BYTES;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.set(LE64, at, valid.seconds());
      out.set(LE32, at + 8, valid.nanos());
      out.set(LE32, at + 12, 0);
      out.set(LE64, at + 16, 0);
      out.set(LE64, at + 24, 0);
      attributes.write(out, at + 32);
    }
  }

  /** How many bytes were written, or how many an attribute has. */
  record Count(int count) implements FuseReply {
    @Override
    public long bytes() {
      return 8;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.set(LE32, at, count);
      out.set(LE32, at + 4, 0);
    }
  }

  /** LSEEK's answer. */
  record Position(long offset) implements FuseReply {
    @Override
    public long bytes() {
      return 8;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.set(LE64, at, offset);
    }
  }

  /** GETLK's answer. */
  record Locked(FileLock lock) implements FuseReply {
    @Override
    public long bytes() {
      return 24;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.set(LE64, at, lock.start());
      out.set(LE64, at + 8, lock.end());
      out.set(LE32, at + 16, lock.type());
      out.set(LE32, at + 20, lock.pid());
    }
  }

  /** STATFS's answer (struct fuse_kstatfs); sizes in units of {@code fragmentBytes}. */
  record Space(
      long blocks,
      long free,
      long available,
      long files,
      long freeFiles,
      int blockBytes,
      int nameBytes,
      int fragmentBytes)
      implements FuseReply {
    @Override
    public long bytes() {
      return 80;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.asSlice(at, bytes()).fill((byte) 0);
      out.set(LE64, at, blocks);
      out.set(LE64, at + 8, free);
      out.set(LE64, at + 16, available);
      out.set(LE64, at + 24, files);
      out.set(LE64, at + 32, freeFiles);
      out.set(LE32, at + 40, blockBytes);
      out.set(LE32, at + 44, nameBytes);
      out.set(LE32, at + 48, fragmentBytes);
    }
  }

  /** INIT's answer (struct fuse_init_out). */
  record Agreed(
      int minor,
      int maxReadahead,
      long flags,
      int maxBackground,
      int congestionThreshold,
      int maxWrite,
      int timeGranularityNanos,
      int maxPages)
      implements FuseReply {
    /** The major version of all that is here. */
    public static final int MAJOR = 7;

    /** The newest minor version that this vocabulary knows. */
    public static final int MINOR = 42;

    @Override
    public long bytes() {
      return 64;
    }

    @Override
    public void write(MemorySegment out, long at) {
      out.asSlice(at, bytes()).fill((byte) 0);
      out.set(LE32, at, MAJOR);
      out.set(LE32, at + 4, minor);
      out.set(LE32, at + 8, maxReadahead);
      out.set(LE32, at + 12, (int) flags);
      out.set(LE16, at + 16, (short) maxBackground);
      out.set(LE16, at + 18, (short) congestionThreshold);
      out.set(LE32, at + 20, maxWrite);
      out.set(LE32, at + 24, timeGranularityNanos);
      out.set(LE16, at + 28, (short) maxPages);
      out.set(LE32, at + 32, (int) (flags >>> 32));
    }
  }
}
