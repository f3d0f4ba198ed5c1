package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * A disk: the one interface of files, formats, filters, connections and test doubles.
 *
 * <p>Offsets and lengths are bytes from 0 to {@link #length()}. A request outside that range, or
 * not aligned to {@link Limits#alignment()}, is refused with EINVAL (EIO past the end of a read)
 * before anything happens; whoever accepts requests from a stranger checks them first. Buffers are
 * native segments of exactly the request's length; a node keeps none after the call returns.
 *
 * <p>Calls block. Every method but {@link #close} may be called from any number of threads at once.
 * A write is visible to every read that starts after the write returned; it is durable when a later
 * {@link #flush} has returned, or at once with {@link #FUA}. Two overlapping writes at the same
 * time leave either's bytes in each sector of the overlap.
 *
 * <p>A fault leaves the node usable. What a failed write left in its own range is undefined.
 */
public interface BlockNode extends AutoCloseable {
  /** Write flag: the bytes are durable when the call returns. */
  int FUA = 1;

  /** Zeroing flag: the range may become a hole, so that a later write can meet ENOSPC. */
  int MAY_UNMAP = 2;

  /** Zeroing flag: fail with EOPNOTSUPP instead of writing zeroes as slowly as data. */
  int NO_FALLBACK = 4;

  /** Write flag: store compressed, where the format can (whole clusters, written once). */
  int COMPRESSED = 8;

  /** The name a person knows it by: a file name, a URI, or a {@code json:} name. */
  String name();

  /** The driver's name as QEMU spells it: {@code file}, {@code qcow2}, {@code nbd}. */
  String driver();

  /** The size of the disk in bytes. */
  long length() throws BlockFault;

  /** Whether writes are refused with EPERM. */
  boolean readOnly();

  /** What requests must keep to, and what goes fast. */
  default Limits limits() {
    return Limits.BYTES;
  }

  /** Fills {@code into} from {@code offset}. */
  void read(MemorySegment into, long offset) throws BlockFault;

  /** Fills the pieces one after the other from {@code offset}. */
  default void read(MemorySegment[] into, long offset) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : into) {
      read(piece, at);
      at += piece.byteSize();
    }
  }

  /**
   * Fills {@code into} if that needs no waiting for a device, a lock or a peer. False: the content
   * of {@code into} is undefined, and {@link #read} is to be called from a thread that may wait.
   */
  default boolean readNow(MemorySegment into, long offset) throws BlockFault {
    return false;
  }

  /**
   * Writes all of {@code from} at {@code offset}; {@code flags} of {@link #FUA}, {@link
   * #COMPRESSED}.
   */
  void write(MemorySegment from, long offset, int flags) throws BlockFault;

  /** Writes the pieces one after the other at {@code offset}. */
  default void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : from) {
      write(piece, at, flags);
      at += piece.byteSize();
    }
  }

  /**
   * Writes all of {@code from} if that needs no waiting, as {@link #readNow}. False: nothing was
   * written.
   */
  default boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    return false;
  }

  /**
   * Gives a range that is about to be written all over its place in storage. What it reads until
   * then is undefined. True: writes to it may now come in any order without the order showing in
   * the storage. False: this node cannot promise that.
   */
  default boolean reserve(long offset, long length) throws BlockFault {
    return false;
  }

  /**
   * Makes a range read as zeroes. {@code flags} of {@link #FUA}, {@link #MAY_UNMAP}, {@link
   * #NO_FALLBACK}. Any length; the node splits.
   */
  void writeZeroes(long offset, long length, int flags) throws BlockFault;

  /**
   * Gives a range back. A hint: what it reads afterwards is the old data or zeroes, and a node that
   * cannot discard succeeds without doing anything.
   */
  void discard(long offset, long length) throws BlockFault;

  /** Returns when every write that had returned before the call is durable. */
  void flush() throws BlockFault;

  /**
   * What is known of the bytes from {@code offset}: one extent that starts there, is at least one
   * byte and at most {@code length} bytes long. Ask again from its end for the next.
   */
  Extent extent(long offset, long length) throws BlockFault;

  /**
   * Announces that a format is about to do what {@code event} names. Costs nothing on a node that
   * debugs nothing; {@code blkdebug} starts failing requests, or waits here, as its rules say. A
   * format calls it on the node that holds its metadata.
   */
  default void event(BlkdebugEvent event) throws BlockFault {}

  /** The breakpoints of the first blkdebug node on the way down, if there is one. */
  default Optional<Breakpoints> breakpoints() {
    List<BlockNode> below = children();
    return below.isEmpty() ? Optional.empty() : below.getFirst().breakpoints();
  }

  /**
   * Says what the user of this node does with it and what it lets others do. A file takes the image
   * locks for that; a filter passes it on. Called once after opening, by {@link Opener#child}, when
   * the node was opened with {@link Permissions#NONE} to be probed.
   *
   * @throws BlockFault EAGAIN when another program's use clashes, with QEMU's words
   */
  default void claim(Permissions permissions) throws BlockFault {}

  /**
   * Copies inside the host, without the bytes passing through this process (copy_file_range).
   *
   * @return how many bytes were copied from the front of the range; 0 when this pair of nodes
   *     cannot, and reading and writing has to do it
   */
  default long copyTo(long offset, BlockNode target, long targetOffset, long length)
      throws BlockFault {
    return 0;
  }

  /**
   * The other half of {@link #copyTo}: {@code source} is the node that holds the bytes at {@code
   * sourceOffset} of its own space. Formats do not call it.
   */
  default long copyFrom(BlockNode source, long sourceOffset, long offset, long length)
      throws BlockFault {
    return 0;
  }

  /** What this node reads unallocated ranges from, or null. */
  default @org.jspecify.annotations.Nullable BlockNode backing() {
    return null;
  }

  /**
   * The file that this node is byte for byte, for callers that submit requests to the kernel
   * themselves, or null: most nodes are more than a file, or go through the page cache.
   */
  default @org.jspecify.annotations.Nullable DirectFile directFile() {
    return null;
  }

  /** The dirty bitmaps of this disk. */
  default List<DirtyBitmap> dirtyBitmaps() throws BlockFault {
    return List.of();
  }

  /**
   * Stores a copy of another disk's bitmap in this image, under the same name and recording if that
   * one does; it is in the file when this node is closed.
   *
   * @throws BlockFault EOPNOTSUPP when the format has no bitmaps, EEXIST when the name is taken
   */
  default void keepBitmap(DirtyBitmap bitmap) throws BlockFault {
    throw new BlockFault(
        Errno.EOPNOTSUPP, "Format driver '" + driver() + "' does not support bitmaps");
  }

  /** Every node directly beneath this one. */
  default List<BlockNode> children() {
    return List.of();
  }

  /**
   * What {@code info} calls a node of {@link #children}: {@code file}, {@code data-file}, {@code
   * backing}.
   */
  default String childName(BlockNode child) {
    return child.equals(backing()) ? "backing" : "file";
  }

  /**
   * Looks whether the image agrees with itself.
   *
   * @param repair what may be changed; needs a writable node
   * @param messages takes one line for each thing found, as qemu-img words it
   * @throws BlockFault EOPNOTSUPP when the format has nothing to check
   */
  default CheckReport check(Repair repair, Consumer<String> messages) throws BlockFault {
    throw new BlockFault(Errno.EOPNOTSUPP, "This image format does not support checks");
  }

  /** What is known of this node besides its length; opens and reads nothing new. */
  default NodeInfo info() throws BlockFault {
    var storage = new ArrayList<>(children());
    storage.remove(backing());
    return NodeInfo.of(storage.isEmpty() ? OptionalLong.empty() : NodeInfo.allocatedBy(storage));
  }

  /**
   * Changes the length. New bytes read as zeroes.
   *
   * @throws BlockFault EOPNOTSUPP when this kind of node cannot
   */
  default void resize(long length, Preallocation preallocation) throws BlockFault {
    throw new BlockFault(Errno.EOPNOTSUPP, "Image format driver does not support resize");
  }

  /**
   * Writes what is cached, gives everything back and closes the nodes beneath. No other call may
   * run or follow. Closing twice is harmless.
   */
  @Override
  void close() throws BlockFault;
}
