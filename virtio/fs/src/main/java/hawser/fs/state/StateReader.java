package hawser.fs.state;

import hawser.fs.Name;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads a state in Hawser's form. Each section is checked before anything of it is believed, and
 * {@link StateSink#end} is only called when all of the state is what was written.
 */
public final class StateReader {
  private static final int OPTION_NAME_BYTES_MAX = 64;

  /** The longest is a map of attributes' names, from a command line. */
  private static final int OPTION_VALUE_BYTES_MAX = 64 << 10;

  private static final int XATTR_NAME_BYTES_MAX = 255;
  private static final int XATTR_VALUE_BYTES_MAX = 64 << 10;
  private static final int FILE_HANDLE_BYTES_MAX = 4 + 128;

  private final InputStream in;
  private final StateSink sink;
  private final MessageDigest digest = StateWriter.sha256();
  private boolean settled;

  private StateReader(InputStream in, StateSink sink) {
    this.in = in;
    this.sink = sink;
  }

  /** Whether a state that begins like this is in Hawser's form. */
  public static boolean begins(byte[] first) {
    return first.length >= HawserForm.MAGIC.length
        && Arrays.equals(first, 0, HawserForm.MAGIC.length, HawserForm.MAGIC, 0, 4);
  }

  /**
   * Reads a whole state.
   *
   * @throws IOException when it is damaged, saying where, or cannot be read
   */
  public static void read(InputStream in, StateSink sink) throws IOException {
    new StateReader(in, sink).run();
  }

  private void run() throws IOException {
    header();
    boolean ended = false;
    while (!ended) {
      ended = section();
    }
    if (in.read() >= 0) {
      throw new IOException("the state goes on after its end");
    }
    sink.end();
  }

  /** So many bytes: a section's at most. */
  private ByteBuffer take(int count, String what) throws IOException {
    byte[] bytes = new byte[count];
    int read = in.readNBytes(bytes, 0, count);
    if (read < count) {
      throw new EOFException(
          "the state ends within %s: %d bytes of %d".formatted(what, read, count));
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void header() throws IOException {
    ByteBuffer header = take(HawserForm.MAGIC.length + 6, "its header");
    digest.update(header.duplicate());
    var magic = new byte[HawserForm.MAGIC.length];
    header.get(magic);
    if (!Arrays.equals(magic, HawserForm.MAGIC)) {
      throw new IOException("the state's magic is '%s', not HWST".formatted(new Name(magic)));
    }
    int version = Short.toUnsignedInt(header.getShort());
    if (version != HawserForm.VERSION) {
      throw new IOException(
          "the state's version is %d: %d is known here".formatted(version, HawserForm.VERSION));
    }
    int flags = Short.toUnsignedInt(header.getShort());
    if (flags != 0) {
      throw new IOException("the state's header flags are %#x, not 0".formatted(flags));
    }
    int writer = Short.toUnsignedInt(header.getShort());
    if (writer > HawserForm.WRITER_BYTES_MAX) {
      throw new IOException(
          "the writer's name has %d bytes, at most %d"
              .formatted(writer, HawserForm.WRITER_BYTES_MAX));
    }
    digest.update(take(writer, "the writer's name"));
  }

  /** Reads one section; whether it was the last. */
  private boolean section() throws IOException {
    ByteBuffer header = take(HawserForm.SECTION_HEADER_BYTES, "a section's header");
    int number = Short.toUnsignedInt(header.getShort(0));
    int flags = Short.toUnsignedInt(header.getShort(2));
    long length = Integer.toUnsignedLong(header.getInt(4));
    if (length > HawserForm.SECTION_BYTES_MAX) {
      throw new IOException(
          "section %d has %d bytes, at most %d"
              .formatted(number, length, HawserForm.SECTION_BYTES_MAX));
    }
    ByteBuffer payload = take((int) length, "section " + number);
    ByteBuffer sum = take(HawserForm.CRC_BYTES, "a section's checksum");
    check(number, header, payload, sum.getInt(0));
    SectionType type = SectionType.of(number);
    if (type == SectionType.END) {
      checkDigest(payload);
      return true;
    }
    digest.update(header.duplicate());
    digest.update(payload.duplicate());
    digest.update(sum.duplicate());
    if (type == null) {
      if ((flags & HawserForm.REQUIRED) != 0) {
        throw new IOException("section type %d is required and not known here".formatted(number));
      }
    } else {
      items(type, payload);
    }
    return false;
  }

  private static void check(int number, ByteBuffer header, ByteBuffer payload, int sum)
      throws IOException {
    var crc = new CRC32C();
    crc.update(header.duplicate());
    crc.update(payload.duplicate());
    if ((int) crc.getValue() != sum) {
      throw new IOException("section %d is damaged: its checksum differs".formatted(number));
    }
  }

  private void checkDigest(ByteBuffer written) throws IOException {
    byte[] found = new byte[written.remaining()];
    written.get(found);
    if (!MessageDigest.isEqual(found, digest.digest())) {
      throw new IOException("the state is damaged: its digest differs");
    }
    if (!settled) {
      throw new IOException("the state has no settings");
    }
  }

  private void items(SectionType type, ByteBuffer payload) throws IOException {
    if (!settled && type != SectionType.SETTINGS) {
      throw new IOException("section %s comes before the settings".formatted(type));
    }
    var items = new Unpack(type, payload);
    while (items.more()) {
      switch (type) {
        case SETTINGS -> settings(items);
        case OPTIONS ->
            sink.option(
                new SavedOption(
                    items.name(OPTION_NAME_BYTES_MAX).toString(),
                    items.name(OPTION_VALUE_BYTES_MAX).toString()));
        case INODES -> inode(items);
        case CONTENT -> content(items);
        case ATTRIBUTES ->
            sink.attribute(
                items.compact(),
                new SavedAttribute(
                    items.name(XATTR_NAME_BYTES_MAX), items.name(XATTR_VALUE_BYTES_MAX)));
        case FILES -> sink.file(new SavedFile(items.compact(), items.compact(), items.u32()));
        case LOCKS -> lock(items);
        case END -> throw new AssertionError("ended before");
      }
    }
  }

  private void settings(Unpack items) throws IOException {
    if (settled) {
      throw new IOException("the settings come twice");
    }
    settled = true;
    sink.settings(new SavedSettings(items.flag(), items.u64(), items.u64(), items.u64()));
  }

  private void inode(Unpack items) throws IOException {
    long nodeId = items.compact();
    long lookups = items.compact();
    long type = items.compact() << 12;
    if ((type & ~0xf000L) != 0) {
      throw new IOException("inode %d has the type %#x".formatted(nodeId, type));
    }
    var identity =
        new Identity(
            items.compact(),
            items.compact(),
            items.compact(),
            items.compact(),
            (int) items.compact());
    long visible = items.compact();
    boolean needed = items.flag();
    Name handle = items.name(FILE_HANDLE_BYTES_MAX);
    Location location = location(items);
    sink.inode(
        new SavedInode(nodeId, lookups, (int) type, identity, visible, needed, handle, location));
  }

  private static Location location(Unpack items) throws IOException {
    int number = items.u8();
    LocationTag tag = LocationTag.of(number);
    if (tag == null) {
      throw new IOException("a location of the unknown kind %d".formatted(number));
    }
    return switch (tag) {
      case ROOT -> new Location.Root();
      case NAMED -> new Location.Named(items.compact(), items.name(Name.PATH_BYTES_MAX));
      case AT_PATH -> new Location.AtPath(items.name(Name.PATH_BYTES_MAX));
      case BY_HANDLE ->
          new Location.ByHandle(items.name(Name.PATH_BYTES_MAX), items.name(FILE_HANDLE_BYTES_MAX));
      case HIDDEN -> new Location.Hidden(items.name(Name.PATH_BYTES_MAX));
      case EMBEDDED ->
          new Location.Embedded(
              items.u32(),
              items.u32(),
              items.u32(),
              items.u64(),
              items.u64(),
              items.u64(),
              items.u32(),
              items.u64(),
              items.u32(),
              items.name(Name.PATH_BYTES_MAX));
      case LOST -> new Location.Lost();
    };
  }

  private void content(Unpack items) throws IOException {
    long nodeId = items.u64();
    long offset = items.u64();
    ByteBuffer bytes = items.rest();
    if (offset < 0 || offset > Long.MAX_VALUE - bytes.remaining()) {
      throw new IOException("content of inode %d at %d".formatted(nodeId, offset));
    }
    sink.content(nodeId, offset, MemorySegment.ofBuffer(bytes));
    items.skipRest();
  }

  private void lock(Unpack items) throws IOException {
    if (items.flag()) {
      sink.lock(new SavedLock.Whole(items.compact(), items.flag()));
      return;
    }
    var range =
        new SavedLock.Range(items.compact(), items.u64(), items.flag(), items.u64(), items.u64());
    if (range.start() < 0 || range.end() < range.start()) {
      throw new IOException("a lock from %d to %d".formatted(range.start(), range.end()));
    }
    sink.lock(range);
  }
}
