package hawser.fs.passthrough;

import static hawser.sys.FileCalls.SEEK_DATA;
import static hawser.sys.FileCalls.SEEK_HOLE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.state.SavedAttribute;
import hawser.fs.state.StateSink;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.XattrCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Reads what travels of a file without a name: its bytes but for holes, and its attributes. */
final class EmbeddedContent implements AutoCloseable {
  private static final int PIECE_BYTES = 512 << 10;
  private static final int XATTR_BYTES_MAX = 64 << 10;

  private final long nodeId;
  private final StateSink sink;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment piece = arena.allocate(PIECE_BYTES, 8);

  EmbeddedContent(long nodeId, StateSink sink) {
    this.nodeId = nodeId;
    this.sink = sink;
  }

  /** Tells the bytes of an open file, and closes it. */
  void bytes(int fd) throws IOException, BlockFault {
    try {
      long at = FileCalls.lseek(fd, 0, SEEK_DATA);
      while (at >= 0) {
        long end = Kernel.check(FileCalls.lseek(fd, at, SEEK_HOLE));
        while (at < end) {
          long wanted = Math.min(PIECE_BYTES, end - at);
          long count = Kernel.check(FileCalls.pread(fd, piece.asSlice(0, wanted), at));
          if (count == 0) {
            return;
          }
          sink.content(nodeId, at, piece.asSlice(0, count));
          at += count;
        }
        at = FileCalls.lseek(fd, end, SEEK_DATA);
      }
      if (at != -Errno.ENXIO.number()) {
        throw Kernel.no(at);
      }
    } finally {
      FileCalls.close(fd);
    }
  }

  /** Tells the extended attributes of what a descriptor stands for. */
  void attributes(Descriptor held) throws IOException {
    byte[] path = PathCalls.ofDescriptor(held.fd);
    long count = XattrCalls.list(path, piece.asSlice(0, XATTR_BYTES_MAX));
    if (count <= 0) {
      return;
    }
    for (Name name : names(piece.asSlice(0, count).toArray(JAVA_BYTE))) {
      long size = XattrCalls.get(path, name.bytes(), piece.asSlice(0, XATTR_BYTES_MAX));
      if (size >= 0) {
        var value = new Name(piece.asSlice(0, size).toArray(JAVA_BYTE));
        sink.attribute(nodeId, new SavedAttribute(name, value));
      }
    }
  }

  /** The names of a list in which a NUL ends each. */
  static List<Name> names(byte[] list) {
    var names = new ArrayList<Name>();
    int start = 0;
    for (int i = 0; i < list.length; i++) {
      if (list[i] == 0) {
        names.add(new Name(java.util.Arrays.copyOfRange(list, start, i)));
        start = i + 1;
      }
    }
    return names;
  }

  @Override
  public void close() {
    arena.close();
  }
}
