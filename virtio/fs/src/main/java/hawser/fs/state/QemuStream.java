package hawser.fs.state;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * Finds the state of a shared folder in a migration stream of QEMU's, as {@code migrate} writes it
 * to a file: it is the subsection "vhost-user-fs-backend" of the device's section, in pieces that
 * each follow their length (32 bits, big endian), the last of which is 0.
 */
public final class QemuStream {
  private static final byte[] MAGIC = {'Q', 'E', 'V', 'M'};

  /** How a subsection begins: QEMU_VM_SUBSECTION, and its name after the name's length. */
  private static final byte[] SUBSECTION = subsection("vhost-user-fs-backend");

  private static final int VERSION_BYTES = 4;
  private static final int WINDOW_BYTES = 1 << 20;

  /** Bytes of a piece at most; QEMU's are 1 MiB. */
  private static final int PIECE_BYTES_MAX = 16 << 20;

  /** Pieces of a state at most: a guest can fill its memory with what looks like many. */
  private static final int PIECES_MAX = 1 << 16;

  private QemuStream() {}

  private static byte[] subsection(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(2 + bytes.length)
        .put((byte) 5)
        .put((byte) bytes.length)
        .put(bytes)
        .array();
  }

  /** Whether a file begins as such a stream does; goes back to its beginning. */
  public static boolean begins(SeekableByteChannel file) throws IOException {
    ByteBuffer first = ByteBuffer.allocate(MAGIC.length);
    while (first.hasRemaining() && file.read(first) >= 0) {
      // A short read is not the end yet.
    }
    file.position(0);
    return !first.hasRemaining() && first.flip().equals(ByteBuffer.wrap(MAGIC));
  }

  /**
   * The first state in a stream. The guest's memory comes before it and may hold the subsection's
   * name too, so what follows a name must have the form of one to its end.
   *
   * @throws IOException when there is none
   */
  public static InputStream state(SeekableByteChannel file) throws IOException {
    ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES);
    for (long start = 0; start < file.size(); ) {
      file.position(start);
      window.clear();
      while (window.hasRemaining() && file.read(window) >= 0) {
        // Filled as far as the file goes.
      }
      window.flip();
      for (int found = find(window, 0); found >= 0; found = find(window, found + 1)) {
        long pieces = start + found + SUBSECTION.length + VERSION_BYTES;
        // A name that no piece follows is only a name.
        if (end(file, pieces) > pieces + Integer.BYTES) {
          file.position(pieces);
          return new Pieces(Channels.newInputStream(file));
        }
      }
      start += WINDOW_BYTES - SUBSECTION.length + 1L;
    }
    throw new IOException("no state of a shared folder is in this migration stream");
  }

  /** Where the pieces from a position on end; -1 when they are none. */
  private static long end(SeekableByteChannel file, long from) throws IOException {
    ByteBuffer length = ByteBuffer.allocate(Integer.BYTES);
    long at = from;
    for (int piece = 0; piece < PIECES_MAX && at <= file.size() - Integer.BYTES; piece++) {
      file.position(at);
      length.clear();
      while (length.hasRemaining() && file.read(length) >= 0) {
        // Four bytes are there.
      }
      int bytes = length.flip().getInt();
      at += Integer.BYTES;
      if (bytes == 0) {
        return at;
      }
      if (bytes < 0 || bytes > PIECE_BYTES_MAX) {
        return -1;
      }
      at += bytes;
    }
    return -1;
  }

  private static int find(ByteBuffer window, int from) {
    for (int at = from; at + SUBSECTION.length <= window.limit(); at++) {
      if (window.get(at) == SUBSECTION[0]
          && window.slice(at, SUBSECTION.length).equals(ByteBuffer.wrap(SUBSECTION))) {
        return at;
      }
    }
    return -1;
  }

  /** The pieces one after the other. */
  private static final class Pieces extends InputStream {
    private final InputStream in;
    private int left;
    private boolean ended;

    Pieces(InputStream in) {
      this.in = in;
    }

    private boolean more() throws IOException {
      if (left == 0 && !ended) {
        byte[] length = in.readNBytes(Integer.BYTES);
        if (length.length < Integer.BYTES) {
          throw new EOFException("the migration stream ends within the state");
        }
        left = ByteBuffer.wrap(length).getInt();
        if (left < 0 || left > PIECE_BYTES_MAX) {
          throw new IOException(
              "a piece of %s bytes, at most %d"
                  .formatted(Integer.toUnsignedString(left), PIECE_BYTES_MAX));
        }
        ended = left == 0;
      }
      return !ended;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (!more()) {
        return -1;
      }
      int count = in.read(into, offset, Math.min(length, left));
      if (count < 0) {
        throw new EOFException("the migration stream ends within the state");
      }
      left -= count;
      return count;
    }
  }
}
