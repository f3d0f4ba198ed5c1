package hawser.block.format.qcow2;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of metadata tables in memory, byte for byte as in the file, outside the Java heap.
 *
 * <p>A piece has a number, its key; key {@code k} may lie in any of the {@link #WAYS} slots of set
 * {@code k mod sets}, so that a cache as large as its table never evicts. A slot that was used
 * since the hand last passed gets a second chance. Dirty slots are never evicted.
 *
 * <p>{@link #find}, {@link #memory} and {@link #touch} may be called while another thread changes
 * the cache: the answer can then be wrong, and the caller finds out by validating the stamp of its
 * optimistic read. Everything else needs the image's mutex, and its write view where it says so.
 */
final class MetadataCache implements AutoCloseable {
  /** Slots of a set. */
  static final int WAYS = 8;

  private static final int CHUNK_BYTES = 1 << 18;

  private final Arena arena = Arena.ofShared();
  private final int slotBytes;
  private final int sets;
  private final long[] keys;
  private final boolean[] used;
  private final boolean[] dirty;
  private final @Nullable MemorySegment[] memory;
  private int dirtyCount;
  private MemorySegment chunk = MemorySegment.NULL;
  private long chunkTaken;

  /** Room for {@code bytes}, at least one set, in slots of {@code slotBytes}. */
  MetadataCache(long bytes, int slotBytes) {
    this.slotBytes = slotBytes;
    this.sets = (int) Math.max(1, (bytes / slotBytes + WAYS - 1) / WAYS);
    int slots = sets * WAYS;
    this.keys = new long[slots];
    Arrays.fill(keys, -1);
    this.used = new boolean[slots];
    this.dirty = new boolean[slots];
    this.memory = new MemorySegment[slots];
  }

  int slotBytes() {
    return slotBytes;
  }

  int slots() {
    return keys.length;
  }

  /** The slot that holds the piece, or -1. */
  int find(long key) {
    int first = (int) (key % sets) * WAYS;
    for (int slot = first; slot < first + WAYS; slot++) {
      if (keys[slot] == key) {
        return slot;
      }
    }
    return -1;
  }

  /** The content of a slot, or null when it never had one. */
  @Nullable MemorySegment memory(int slot) {
    return memory[slot];
  }

  /** The content of a slot that is known to hold a piece. */
  MemorySegment content(int slot) {
    MemorySegment there = memory[slot];
    if (there == null) {
      throw new AssertionError("slot " + slot + " is empty");
    }
    return there;
  }

  /** Notes that a slot was used. */
  void touch(int slot) {
    if (!used[slot]) {
      used[slot] = true;
    }
  }

  /** The key of the piece in a slot, or -1. */
  long key(int slot) {
    return keys[slot];
  }

  boolean dirty(int slot) {
    return dirty[slot];
  }

  boolean anyDirty() {
    return dirtyCount > 0;
  }

  void markDirty(int slot) {
    if (!dirty[slot]) {
      dirty[slot] = true;
      dirtyCount++;
    }
    used[slot] = true;
  }

  void markClean(int slot) {
    if (dirty[slot]) {
      dirty[slot] = false;
      dirtyCount--;
    }
  }

  /** A slot that the piece may be put in, or -1 when all of its set are dirty. */
  int victim(long key) {
    int first = (int) (key % sets) * WAYS;
    for (int slot = first; slot < first + WAYS; slot++) {
      if (keys[slot] < 0) {
        return slot;
      }
    }
    for (int pass = 0; pass < 2; pass++) {
      for (int slot = first; slot < first + WAYS; slot++) {
        if (dirty[slot]) {
          continue;
        }
        if (!used[slot]) {
          return slot;
        }
        used[slot] = false;
      }
    }
    return -1;
  }

  /** Puts a piece into a clean slot. Needs the write view. */
  void put(int slot, long key, MemorySegment content) {
    MemorySegment there = memory[slot];
    if (there == null) {
      there = carve();
      memory[slot] = there;
    }
    MemorySegment.copy(content, 0, there, 0, slotBytes);
    keys[slot] = key;
    used[slot] = true;
  }

  private MemorySegment carve() {
    if (chunk.byteSize() - chunkTaken < slotBytes) {
      long room = (long) slotBytes * keys.length;
      chunk = arena.allocate(Math.max(slotBytes, Math.min(room, CHUNK_BYTES)), 4096);
      chunkTaken = 0;
    }
    MemorySegment carved = chunk.asSlice(chunkTaken, slotBytes);
    chunkTaken += slotBytes;
    return carved;
  }

  /** Forgets a piece, dirty or not. Needs the write view. */
  void drop(long key) {
    int slot = find(key);
    if (slot >= 0) {
      markClean(slot);
      keys[slot] = -1;
    }
  }

  /** Forgets every piece, dirty or not. Needs the write view. */
  void dropAll() {
    for (int slot = 0; slot < keys.length; slot++) {
      markClean(slot);
      keys[slot] = -1;
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
