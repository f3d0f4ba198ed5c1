package hawser.testkit.node;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.Preallocation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A sparse disk in memory that behaves as a file does: a write past the end makes it longer. {@link
 * #copy} costs next to nothing, for pages are shared until one side writes. Safe from any thread.
 */
public final class MemoryNode implements BlockNode {
  private static final int PAGE_BYTES = 4096;

  private final String name;
  private final TreeMap<Long, Page> pages = new TreeMap<>();
  private long length;
  private int flushes;

  /** A page, and who may change it in place. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Page(byte[] bytes, MemoryNode owner) {}

  /** A disk of {@code length} zeroes. */
  public MemoryNode(String name, long length) {
    this.name = name;
    this.length = length;
  }

  /** A disk with the content of a file. */
  public static MemoryNode of(Path file) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      var node = new MemoryNode(file.toString(), channel.size());
      for (long at = 0; at < node.length; at += PAGE_BYTES) {
        byte[] page = new byte[PAGE_BYTES];
        var buffer = ByteBuffer.wrap(page);
        int count = 0;
        while (buffer.hasRemaining() && count >= 0) {
          count = channel.read(buffer, at + buffer.position());
        }
        if (!zero(page)) {
          node.pages.put(at, new Page(page, node));
        }
      }
      return node;
    }
  }

  private static boolean zero(byte[] bytes) {
    return Arrays.mismatch(bytes, new byte[bytes.length]) == -1;
  }

  /** A disk with the same content, independent from now on. */
  public synchronized MemoryNode copy() {
    var copy = new MemoryNode(name, length);
    // Neither side owns what both have.
    var shared = new MemoryNode(name, 0);
    pages.replaceAll((at, page) -> new Page(page.bytes, shared));
    copy.pages.putAll(pages);
    return copy;
  }

  /** Writes the content into a file, leaving holes where nothing was written. */
  public synchronized void save(Path file) throws IOException {
    try (var channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      for (var page : pages.entrySet()) {
        int bytes = (int) Math.min(PAGE_BYTES, length - page.getKey());
        channel.write(ByteBuffer.wrap(page.getValue().bytes, 0, bytes), page.getKey());
      }
      if (channel.size() < length) {
        channel.write(ByteBuffer.allocate(1), length - 1);
      }
    }
  }

  /** How often it was flushed. */
  public synchronized int flushes() {
    return flushes;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return "file";
  }

  @Override
  public synchronized long length() {
    return length;
  }

  @Override
  public boolean readOnly() {
    return false;
  }

  private static void check(long offset, long bytes) throws BlockFault {
    if (offset < 0 || bytes < 0 || bytes > Long.MAX_VALUE - offset) {
      throw new BlockFault(Errno.EINVAL, bytes + " bytes at " + offset + " are out of range");
    }
  }

  @Override
  public synchronized void read(MemorySegment into, long offset) throws BlockFault {
    check(offset, into.byteSize());
    long done = 0;
    while (done < into.byteSize()) {
      long at = offset + done;
      int skip = (int) (at % PAGE_BYTES);
      long bytes = Math.min(PAGE_BYTES - skip, into.byteSize() - done);
      Page page = pages.get(at - skip);
      if (page == null) {
        into.asSlice(done, bytes).fill((byte) 0);
      } else {
        MemorySegment.copy(MemorySegment.ofArray(page.bytes), skip, into, done, bytes);
      }
      done += bytes;
    }
  }

  @Override
  public synchronized void write(MemorySegment from, long offset, int flags) throws BlockFault {
    check(offset, from.byteSize());
    long done = 0;
    while (done < from.byteSize()) {
      long at = offset + done;
      int skip = (int) (at % PAGE_BYTES);
      long bytes = Math.min(PAGE_BYTES - skip, from.byteSize() - done);
      MemorySegment.copy(from, done, MemorySegment.ofArray(own(at - skip)), skip, bytes);
      done += bytes;
    }
    length = Math.max(length, offset + from.byteSize());
  }

  private byte[] own(long at) {
    Page page = pages.get(at);
    if (page == null || page.owner != this) {
      byte[] bytes = page == null ? new byte[PAGE_BYTES] : page.bytes.clone();
      pages.put(at, new Page(bytes, this));
      return bytes;
    }
    return page.bytes;
  }

  @Override
  public synchronized void writeZeroes(long offset, long bytes, int flags) throws BlockFault {
    check(offset, bytes);
    clear(offset, offset + bytes);
    length = Math.max(length, offset + bytes);
  }

  private void clear(long from, long to) {
    Long at = pages.ceilingKey(from - from % PAGE_BYTES);
    while (at != null && at < to) {
      if (at >= from && at + PAGE_BYTES <= to) {
        pages.remove(at);
      } else {
        Arrays.fill(
            own(at),
            (int) (Math.max(from, at) - at),
            (int) (Math.min(to, at + PAGE_BYTES) - at),
            (byte) 0);
      }
      at = pages.higherKey(at);
    }
  }

  @Override
  public synchronized void discard(long offset, long bytes) throws BlockFault {
    check(offset, bytes);
    if (offset < length) {
      clear(offset, Math.min(length, offset + bytes));
    }
  }

  @Override
  public synchronized void flush() {
    flushes++;
  }

  @Override
  public synchronized Extent extent(long offset, long bytes) throws BlockFault {
    if (bytes < 1 || !Ranges.contains(length, offset, 1)) {
      throw new BlockFault(Errno.EINVAL, "extent offset " + offset + " is past the end");
    }
    long most = Math.min(bytes, length - offset);
    boolean stored = pages.containsKey(offset - offset % PAGE_BYTES);
    long end = offset - offset % PAGE_BYTES + PAGE_BYTES;
    while (end < offset + most && pages.containsKey(end) == stored) {
      @Nullable Long next = stored ? Long.valueOf(end + PAGE_BYTES) : pages.higherKey(end);
      end = next == null ? offset + most : next;
    }
    return new Extent(
        offset,
        Math.min(most, end - offset),
        stored ? Extent.Kind.DATA : Extent.Kind.ZERO,
        0,
        offset,
        this);
  }

  @Override
  public synchronized void resize(long newLength, Preallocation preallocation) {
    if (newLength < length) {
      clear(newLength, Ranges.alignUp(length, PAGE_BYTES));
    }
    length = newLength;
  }

  @Override
  public void close() {}
}
