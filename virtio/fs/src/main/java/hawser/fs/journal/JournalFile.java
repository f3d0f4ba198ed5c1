package hawser.fs.journal;

import hawser.base.BlockFault;
import hawser.fs.Name;
import hawser.sys.FileCalls;
import hawser.sys.MemoryCalls;
import hawser.sys.Result;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Changes one after the other in memory that outlives this process as long as somebody keeps its
 * descriptor. Each has its length and a checksum in front, for a process may be killed in the
 * middle of one. Not safe for threads.
 */
public final class JournalFile implements AutoCloseable {
  /** In front of each change: its bytes (u32) and their CRC32C (u32). */
  private static final int FRAME_BYTES = 8;

  /** Bytes of one change at most: numbers and one name. */
  private static final int CHANGE_BYTES_MAX = Name.PATH_BYTES_MAX + 256;

  private static final int BUFFER_BYTES = 256 << 10;

  private final int fd;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment room = arena.allocate(BUFFER_BYTES, 8);
  private final ByteBuffer buffer = room.asByteBuffer().order(ByteOrder.nativeOrder());
  private final ChangeCodec codec = new ChangeCodec(buffer);
  private final CRC32C checksum = new CRC32C();

  /** Bytes that have reached the file. */
  private long end;

  private JournalFile(int fd) {
    this.fd = fd;
  }

  /** An empty one. */
  public static JournalFile create() throws BlockFault {
    return new JournalFile((int) Result.orFault(MemoryCalls.memfdCreate("fs-journal"), "journal"));
  }

  /**
   * One that another process has begun, to be gone on with.
   *
   * @param fd its descriptor, which this takes over
   * @param each is given every change in it that is whole
   */
  public static JournalFile resume(int fd, Consumer<Change> each) throws BlockFault {
    var file = new JournalFile(fd);
    boolean read = false;
    try {
      file.readAll(each);
      read = true;
      return file;
    } finally {
      if (!read) {
        file.close();
      }
    }
  }

  private void readAll(Consumer<Change> each) throws BlockFault {
    while (true) {
      long count = Result.orFault(FileCalls.pread(fd, room, end), "cannot read the journal");
      int used = read(buffer.clear().limit((int) count), each);
      buffer.clear();
      if (used == 0) {
        return;
      }
      end += used;
    }
  }

  /** Reads the whole changes in the buffer; answers the bytes that they take. */
  private int read(ByteBuffer from, Consumer<Change> each) {
    int limit = from.limit();
    while (from.remaining() >= FRAME_BYTES) {
      int start = from.position();
      int length = from.getInt();
      int sum = from.getInt();
      boolean whole = length > 0 && length <= CHANGE_BYTES_MAX && length <= from.remaining();
      if (!whole || sum != sumOf(from.slice(from.position(), length))) {
        return start;
      }
      from.limit(from.position() + length);
      each.accept(codec.read());
      from.limit(limit).position(start + FRAME_BYTES + length);
    }
    return from.position();
  }

  private int sumOf(ByteBuffer bytes) {
    checksum.reset();
    checksum.update(bytes);
    return (int) checksum.getValue();
  }

  /** The descriptor, for whoever keeps it. */
  public int fd() {
    return fd;
  }

  /** Bytes in it. */
  public long bytes() {
    return end + buffer.position();
  }

  /** Adds a change, which is only in this process until {@link #flush}. */
  public void add(Change change) throws BlockFault {
    if (buffer.remaining() < FRAME_BYTES + CHANGE_BYTES_MAX) {
      flush();
    }
    int start = buffer.position();
    buffer.position(start + FRAME_BYTES);
    codec.write(change);
    int length = buffer.position() - start - FRAME_BYTES;
    buffer.putInt(start, length);
    buffer.putInt(start + Integer.BYTES, sumOf(buffer.slice(start + FRAME_BYTES, length)));
  }

  /** Lets everything outlive this process. */
  public void flush() throws BlockFault {
    for (long done = 0; done < buffer.position(); ) {
      MemorySegment rest = room.asSlice(done, buffer.position() - done);
      done += Result.orFault(FileCalls.pwrite(fd, rest, end + done), "cannot write the journal");
    }
    end += buffer.position();
    buffer.clear();
  }

  @Override
  public void close() {
    arena.close();
    FileCalls.close(fd);
  }
}
