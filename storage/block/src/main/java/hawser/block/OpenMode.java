package hawser.block;

import java.util.Locale;
import java.util.Optional;

/**
 * How a stack of nodes is to be opened.
 *
 * @param writable whether the top may be written; what backs it is never written
 * @param cache the host's caching
 * @param unmap whether discards reach the file beneath; otherwise they are ignored
 * @param detectZeroes what to do with written zeroes
 * @param forceShare open although another program writes the image; only with {@code writable}
 *     false
 * @param backing whether to open the backing chain; false reads unallocated ranges as zeroes
 */
public record OpenMode(
    boolean writable,
    Cache cache,
    boolean unmap,
    DetectZeroes detectZeroes,
    boolean forceShare,
    boolean backing) {

  /** Reading, with QEMU's defaults for tools. */
  public static final OpenMode READ =
      new OpenMode(false, Cache.WRITEBACK, false, DetectZeroes.OFF, false, true);

  /** Reading and writing, with QEMU's defaults for tools. */
  public static final OpenMode WRITE = READ.withWritable(true);

  /**
   * QEMU's cache modes: whether the page cache is used, flushes count, and writes are durable at
   * once.
   */
  public enum Cache {
    /** Page cache; flushes are kept. */
    WRITEBACK(false, false, false),
    /** O_DIRECT; flushes are kept. */
    NONE(true, false, false),
    /** Page cache; every write is flushed. */
    WRITETHROUGH(false, false, true),
    /** O_DIRECT; every write is flushed. */
    DIRECTSYNC(true, false, true),
    /** Page cache; flushes are ignored. For data that may be lost. */
    UNSAFE(false, true, false);

    private final boolean direct;
    private final boolean noFlush;
    private final boolean writethrough;

    Cache(boolean direct, boolean noFlush, boolean writethrough) {
      this.direct = direct;
      this.noFlush = noFlush;
      this.writethrough = writethrough;
    }

    /** Whether the page cache is bypassed. */
    public boolean direct() {
      return direct;
    }

    /** Whether flushes are ignored. */
    public boolean noFlush() {
      return noFlush;
    }

    /** Whether each write is durable when it returns. */
    public boolean writethrough() {
      return writethrough;
    }

    /** By QEMU's name: writeback (or {@code on}), none (or {@code off}), writethrough, ... */
    public static Optional<Cache> named(String name) {
      return switch (name) {
        case "off" -> Optional.of(NONE);
        case "on" -> Optional.of(WRITEBACK);
        default -> {
          for (Cache one : values()) {
            if (one.name().toLowerCase(Locale.ROOT).equals(name)) {
              yield Optional.of(one);
            }
          }
          yield Optional.empty();
        }
      };
    }
  }

  /** What becomes of written buffers that are all zero. */
  public enum DetectZeroes {
    /** Written as they are. */
    OFF,
    /** Become zero clusters that keep their room. */
    ON,
    /** Become zero clusters; room may be given back. */
    UNMAP
  }

  /** The same, writable or not. */
  public OpenMode withWritable(boolean value) {
    return new OpenMode(value, cache, unmap, detectZeroes, forceShare, backing);
  }

  /** The same, with another cache mode. */
  public OpenMode withCache(Cache value) {
    return new OpenMode(writable, value, unmap, detectZeroes, forceShare, backing);
  }

  /** The same, with discards passed on or not. */
  public OpenMode withUnmap(boolean value) {
    return new OpenMode(writable, cache, value, detectZeroes, forceShare, backing);
  }

  /** The same, with another treatment of zeroes. */
  public OpenMode withDetectZeroes(DetectZeroes value) {
    return new OpenMode(writable, cache, unmap, value, forceShare, backing);
  }

  /** The same, sharing an image that another program writes, or not. */
  public OpenMode withForceShare(boolean value) {
    return new OpenMode(writable, cache, unmap, detectZeroes, value, backing);
  }

  /** The same, with or without the backing chain. */
  public OpenMode withBacking(boolean value) {
    return new OpenMode(writable, cache, unmap, detectZeroes, forceShare, value);
  }
}
