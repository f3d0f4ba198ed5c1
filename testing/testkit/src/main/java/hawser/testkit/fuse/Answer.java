package hawser.testkit.fuse;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request was answered with, and its content read as what it is. Reading an error's content
 * is an {@link AssertionError}.
 */
public final class Answer {
  /** What is not answered, such as FORGET. */
  static final Answer NONE = new Answer(0, new byte[0]);

  static final int ENTRY_BYTES = 128;
  static final int OPEN_BYTES = 16;
  private static final int DIRENT_BYTES = 24;

  private final int error;
  private final byte[] body;

  Answer(int error, byte[] body) {
    this.error = error;
    this.body = body;
  }

  /** Linux's number of an error, or 0. */
  public int error() {
    return error;
  }

  /** What INIT agreed to. */
  public record Agreed(
      int major,
      int minor,
      int maxReadahead,
      long flags,
      int maxBackground,
      int congestionThreshold,
      int maxWrite,
      int timeGran,
      int maxPages) {}

  /** struct fuse_open_out. */
  public record Opened(long handle, int flags) {}

  /** An answer to CREATE or TMPFILE. */
  public record Created(Entry entry, Opened opened) {}

  /** A name in a directory; {@code entry} comes with READDIRPLUS. */
  public record Dirent(long inode, long offset, int type, String name, @Nullable Entry entry) {}

  /** A lock, or none: {@code type} as fcntl(2) has it. */
  public record Lock(long start, long end, int type, int pid) {}

  /** Some of struct fuse_kstatfs. */
  public record Statfs(long blocks, long files, int blockSize, int nameLength, int fragmentSize) {}

  /** Some of struct fuse_statx. */
  public record StatxPart(int mask, int mode, long inode, long size, long btime, long mtime) {}

  private ByteBuffer in(int least) {
    if (error != 0) {
      throw new AssertionError("answered with error " + error);
    }
    if (body.length < least) {
      throw new AssertionError("the answer has %d bytes, not %d".formatted(body.length, least));
    }
    return ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
  }

  private ByteBuffer exactly(int bytes) {
    ByteBuffer in = in(bytes);
    if (body.length != bytes) {
      throw new AssertionError("the answer has %d bytes, not %d".formatted(body.length, bytes));
    }
    return in;
  }

  /** The same; an assertion error when it is one. */
  public Answer ok() {
    in(0);
    return this;
  }

  /** After LOOKUP and what makes a name. */
  public Entry entry() {
    return Entry.read(exactly(ENTRY_BYTES));
  }

  /** After GETATTR and SETATTR. */
  public Attributes attributes() {
    return Attributes.read(exactly(104).position(16));
  }

  /** After OPEN and OPENDIR. */
  public Opened opened() {
    return opened(exactly(OPEN_BYTES));
  }

  private static Opened opened(ByteBuffer in) {
    return new Opened(in.getLong(), in.getInt());
  }

  /** After CREATE and TMPFILE. */
  public Created created() {
    ByteBuffer in = exactly(ENTRY_BYTES + OPEN_BYTES);
    return new Created(Entry.read(in), opened(in));
  }

  /** After READ, READLINK, and what asks for an attribute with room. */
  public byte[] data() {
    in(0);
    return body;
  }

  /** After READLINK. */
  public String text() {
    return new String(data(), StandardCharsets.ISO_8859_1);
  }

  /** After WRITE and COPY_FILE_RANGE, and what asks for an attribute's size. */
  public int count() {
    return exactly(8).getInt();
  }

  /** After LSEEK. */
  public long offset() {
    return exactly(8).getLong();
  }

  /** After STATFS. */
  public Statfs statfs() {
    ByteBuffer in = exactly(80);
    return new Statfs(in.getLong(0), in.getLong(24), in.getInt(40), in.getInt(44), in.getInt(48));
  }

  /** After GETLK. */
  public Lock lock() {
    ByteBuffer in = exactly(24);
    return new Lock(in.getLong(), in.getLong(), in.getInt(), in.getInt());
  }

  /** After STATX. */
  public StatxPart statx() {
    ByteBuffer in = exactly(32 + 256);
    return new StatxPart(
        in.getInt(32),
        Short.toUnsignedInt(in.getShort(32 + 28)),
        in.getLong(32 + 32),
        in.getLong(32 + 40),
        in.getLong(32 + 80),
        in.getLong(32 + 112));
  }

  /** After READDIR. */
  public List<Dirent> listing() {
    return listing(false);
  }

  /** After READDIRPLUS. */
  public List<Dirent> listingPlus() {
    return listing(true);
  }

  private List<Dirent> listing(boolean plus) {
    ByteBuffer in = in(0);
    var found = new ArrayList<Dirent>();
    while (in.hasRemaining()) {
      int begin = in.position();
      @Nullable Entry entry = plus ? Entry.read(in) : null;
      long inode = in.getLong();
      long offset = in.getLong();
      var name = new byte[in.getInt()];
      int type = in.getInt();
      in.get(name);
      found.add(
          new Dirent(inode, offset, type, new String(name, StandardCharsets.ISO_8859_1), entry));
      int bytes = (plus ? ENTRY_BYTES : 0) + DIRENT_BYTES + name.length;
      in.position(begin + (bytes + 7 & ~7));
    }
    return found;
  }

  /** After INIT. */
  public Agreed agreed() {
    ByteBuffer in = exactly(64);
    long flags = Integer.toUnsignedLong(in.getInt(12)) | (long) in.getInt(32) << 32;
    return new Agreed(
        in.getInt(0),
        in.getInt(4),
        in.getInt(8),
        flags,
        Short.toUnsignedInt(in.getShort(16)),
        Short.toUnsignedInt(in.getShort(18)),
        in.getInt(20),
        in.getInt(24),
        Short.toUnsignedInt(in.getShort(28)));
  }
}
