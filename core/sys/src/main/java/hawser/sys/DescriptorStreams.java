package hawser.sys;

import hawser.base.BlockFault;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Java's streams over descriptors, such as the ends of a pipe. Closing closes the descriptor. */
public final class DescriptorStreams {
  private static final int BUFFER_BYTES = 64 << 10;

  private DescriptorStreams() {}

  /** Reads from an open descriptor. */
  public static InputStream reading(int fd) {
    return new java.io.BufferedInputStream(new Reading(fd), BUFFER_BYTES);
  }

  /** Writes to an open descriptor. */
  public static OutputStream writing(int fd) {
    return new BufferedOutputStream(new Writing(fd), BUFFER_BYTES);
  }

  private static long orThrow(long result, String doing) throws IOException {
    try {
      return Result.orFault(result, doing);
    } catch (BlockFault e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static final class Reading extends InputStream {
    private final int fd;
    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);
    private boolean closed;

    Reading(int fd) {
      this.fd = fd;
    }

    @Override
    public int read() throws IOException {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      MemorySegment wanted = buffer.asSlice(0, Math.min(length, BUFFER_BYTES));
      int count = (int) orThrow(FileCalls.read(fd, wanted), "read");
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, into, offset, count);
      return count == 0 ? -1 : count;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        FileCalls.close(fd);
      }
    }
  }

  private static final class Writing extends OutputStream {
    private final int fd;
    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);
    private boolean closed;

    Writing(int fd) {
      this.fd = fd;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
      for (int done = 0; done < length; ) {
        int piece = Math.min(length - done, BUFFER_BYTES);
        MemorySegment.copy(from, offset + done, buffer, ValueLayout.JAVA_BYTE, 0, piece);
        done += (int) orThrow(FileCalls.write(fd, buffer.asSlice(0, piece)), "write");
      }
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        FileCalls.close(fd);
      }
    }
  }
}
