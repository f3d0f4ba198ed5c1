package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Permissions;
import hawser.tools.Terminal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One run of qemu-io: the disk that is open and the requests under way. Commands come one at a time
 * from one thread.
 */
final class IoSession {
  /** How far off a page boundary {@code -m} puts buffers. */
  private static final int MISALIGNMENT = 16;

  private static final int PAGE_BYTES = 4096;

  private final Terminal io;
  private final boolean misalign;
  private final boolean imageOpts;
  private final IoObjects objects;
  private final Flights flights = new Flights();
  private @Nullable Disk disk;
  private boolean quit;

  /**
   * An open disk and how it was opened.
   *
   * @param node the disk
   * @param request what was asked for, to open it again
   */
  record Disk(BlockNode node, OpenRequest request) {}

  IoSession(Terminal io, boolean misalign, boolean imageOpts, IoObjects objects) {
    this.io = io;
    this.misalign = misalign;
    this.imageOpts = imageOpts;
    this.objects = objects;
  }

  Terminal io() {
    return io;
  }

  /** Whether file names are lists of options. */
  boolean imageOpts() {
    return imageOpts;
  }

  /** Requests that a command started and did not wait for. */
  Flights flights() {
    return flights;
  }

  /** Whether a disk is open. */
  boolean isOpen() {
    return disk != null;
  }

  /** The open disk. */
  Disk disk() {
    if (disk == null) {
      throw new IllegalStateException("no disk is open");
    }
    return disk;
  }

  BlockNode node() {
    return disk().node();
  }

  /** The driver of an open node. */
  Driver driver(BlockNode node) {
    return objects.opener(io).driver(node.driver()).orElseThrow();
  }

  /** Opens a disk in the place of the one that was open. */
  void open(OpenRequest request) throws BlockFault {
    disk = new Disk(objects.open(request, io), request);
  }

  /** Waits for everything under way and closes the disk, if one is open. */
  void close() throws BlockFault {
    flights.land();
    Disk open = disk;
    disk = null;
    if (open != null) {
      open.node().close();
    }
  }

  /** Whether the last command was {@code quit}. */
  boolean quitting() {
    return quit;
  }

  void quit() {
    quit = true;
  }

  /** Says something on standard error with the program's name in front. */
  void error(String text) {
    io.error(IoProgram.MESSAGE_NAME + ": " + text);
  }

  /** A buffer for a request, every byte {@code pattern}. */
  MemorySegment buffer(Arena arena, long bytes, byte pattern) {
    long skip = misalign ? MISALIGNMENT : 0;
    return arena.allocate(Math.max(bytes, 1) + skip, PAGE_BYTES).asSlice(skip, bytes).fill(pattern);
  }

  /** Refuses what is not inside the disk, as QEMU's block back-end does for every format. */
  void check(long offset, long bytes) throws BlockFault {
    if (!Ranges.contains(node().length(), offset, bytes)) {
      throw BlockFault.of(Errno.EIO, "request is not inside the disk");
    }
  }

  /** Refuses to write to a disk that is open for reading. */
  void checkWritable() throws BlockFault {
    if (node().readOnly()) {
      throw new BlockFault(Errno.EACCES, "Block node is read-only");
    }
  }

  /** The write flags with those of the disk's cache mode. */
  int writeFlags(int flags) {
    return disk().request().writethrough() ? flags | BlockNode.FUA : flags;
  }

  /** The permissions of the disk's user, with more for one command. */
  void claim(int more) throws BlockFault {
    OpenMode mode = disk().request().mode();
    var permissions = mode.permissions();
    node()
        .claim(
            new Permissions(
                permissions.used() | more,
                mode.forceShare() ? Permissions.ALL : permissions.shared()));
  }
}
