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
 * @param permissions what the caller does with the node and lets others do; decides the image locks
 * @param quick for a command that runs for milliseconds: makes no native call, so image locks are
 *     looked at but not taken, holes are not seen, and {@link Cache} is WRITEBACK
 * @param checking whether the node is for {@link BlockNode#check}: an image too broken for use is
 *     opened all the same when its check can say what is wrong
 */
public record OpenMode(
    boolean writable,
    Cache cache,
    boolean unmap,
    DetectZeroes detectZeroes,
    boolean forceShare,
    boolean backing,
    Permissions permissions,
    boolean quick,
    boolean checking) {

  /** Reading, with QEMU's defaults for tools. */
  public static final OpenMode READ =
      new OpenMode(
          false,
          Cache.WRITEBACK,
          false,
          DetectZeroes.OFF,
          false,
          true,
          Permissions.READ,
          false,
          false);

  /** Reading and writing, with QEMU's defaults for tools. */
  public static final OpenMode WRITE = READ.withWritable(true).withPermissions(Permissions.WRITES);

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
    UNSAFE(false, true, false),
    /** O_DIRECT; flushes are ignored. Only by node options, no tool has a name for it. */
    DIRECT_UNSAFE(true, true, false);

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
            if (one != DIRECT_UNSAFE && one.name().toLowerCase(Locale.ROOT).equals(name)) {
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

  /**
   * The same, writable or not; a user who writes is taken to claim writing, one who does not to
   * claim no more than reading.
   */
  public OpenMode withWritable(boolean value) {
    int used = permissions.used();
    int claimed = value ? used | Permissions.WRITE : used & Permissions.CONSISTENT_READ;
    return new OpenMode(
        value,
        cache,
        unmap,
        detectZeroes,
        forceShare,
        backing,
        new Permissions(claimed, permissions.shared()),
        quick,
        checking);
  }

  /** The same, with another cache mode. */
  public OpenMode withCache(Cache value) {
    return new OpenMode(
        writable, value, unmap, detectZeroes, forceShare, backing, permissions, quick, checking);
  }

  /** The same, with discards passed on or not. */
  public OpenMode withUnmap(boolean value) {
    return new OpenMode(
        writable, cache, value, detectZeroes, forceShare, backing, permissions, quick, checking);
  }

  /** The same, with another treatment of zeroes. */
  public OpenMode withDetectZeroes(DetectZeroes value) {
    return new OpenMode(
        writable, cache, unmap, value, forceShare, backing, permissions, quick, checking);
  }

  /** The same, sharing an image that another program writes, or not. */
  public OpenMode withForceShare(boolean value) {
    return new OpenMode(
        writable, cache, unmap, detectZeroes, value, backing, permissions, quick, checking);
  }

  /** The same, with or without the backing chain. */
  public OpenMode withBacking(boolean value) {
    return new OpenMode(
        writable, cache, unmap, detectZeroes, forceShare, value, permissions, quick, checking);
  }

  /** The same, for another use of the node. */
  public OpenMode withPermissions(Permissions value) {
    return new OpenMode(
        writable, cache, unmap, detectZeroes, forceShare, backing, value, quick, checking);
  }

  /** The same, for a short command or not. */
  public OpenMode withQuick(boolean value) {
    return new OpenMode(
        writable, cache, unmap, detectZeroes, forceShare, backing, permissions, value, checking);
  }

  /** The same, for a check or not. */
  public OpenMode withChecking(boolean value) {
    return new OpenMode(
        writable, cache, unmap, detectZeroes, forceShare, backing, permissions, quick, value);
  }

  /** How a format opens the file that holds its metadata: nobody else may write it meanwhile. */
  public OpenMode forMetadata() {
    return withPermissions(permissions.forMetadata(writable));
  }

  /** How a format opens a file that holds guest data only. */
  public OpenMode forData() {
    return withPermissions(permissions.forData());
  }

  /** How a disk opens its backing file: read-only, and never with its own discards. */
  public OpenMode forBacking() {
    return withPermissions(permissions.forBacking())
        .withWritable(false)
        .withChecking(false)
        .withDetectZeroes(DetectZeroes.OFF);
  }
}
