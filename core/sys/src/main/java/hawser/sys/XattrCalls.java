package hawser.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Extended attributes by path, which may be {@link PathCalls#ofDescriptor}. Memory is native and
 * the calling thread's; of no bytes it asks for a size only. Answers a result or a negated error
 * number.
 */
public final class XattrCalls {
  private static final NumberCall GETXATTR = NumberCall.ofLong("getxattr");
  private static final NumberCall SETXATTR = NumberCall.ofInt("setxattr");
  private static final NumberCall LISTXATTR = NumberCall.ofLong("listxattr");
  private static final NumberCall REMOVEXATTR = NumberCall.ofInt("removexattr");

  private XattrCalls() {}

  /** getxattr(2). */
  public static long get(byte[] path, byte[] name, MemorySegment into) {
    PathBuffer buffer = PathBuffer.mine();
    return GETXATTR.call(buffer.first(path), buffer.second(name), into.address(), into.byteSize());
  }

  private static long set(byte[] path, byte[] name, MemorySegment value, int flags) {
    PathBuffer buffer = PathBuffer.mine();
    return SETXATTR.call(
        buffer.first(path), buffer.second(name), value.address(), value.byteSize(), flags, 0);
  }

  /** setxattr(2) with its flags. */
  public static long set(byte[] path, byte[] name, byte[] value, int flags) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(Math.max(1, value.length));
      MemorySegment.copy(MemorySegment.ofArray(value), 0, bytes, 0, value.length);
      return set(path, name, bytes.asSlice(0, value.length), flags);
    }
  }

  /** listxattr(2). */
  public static long list(byte[] path, MemorySegment into) {
    return LISTXATTR.call(PathBuffer.mine().first(path), into.address(), into.byteSize());
  }

  /** removexattr(2). */
  public static long remove(byte[] path, byte[] name) {
    PathBuffer buffer = PathBuffer.mine();
    return REMOVEXATTR.call(buffer.first(path), buffer.second(name));
  }
}
