package hawser.testkit.fuse;

import hawser.testkit.fuse.FuseQueue.Ticket;
import java.util.ArrayList;
import java.util.List;

/**
 * Every operation of FUSE 7.42 as a method on one queue, in somebody's name: sends it as a Linux
 * guest would, waits, and answers what came. Nodes and handles are the server's numbers; errors are
 * in the {@link Answer}.
 */
public final class FuseOperations {
  /** The shared folder itself. */
  public static final long ROOT_NODE = 1;

  /** The version that this client speaks, unless a test says otherwise. */
  public static final int MINOR = 42;

  /** Every flag of INIT that a recent Linux sends, besides those of other transports. */
  public static final long ALL_FLAGS =
      InitFlags.EVERYDAY
          | InitFlags.POSIX_LOCKS
          | InitFlags.FLOCK_LOCKS
          | InitFlags.POSIX_ACL
          | InitFlags.DONT_MASK
          | InitFlags.SUBMOUNTS
          | InitFlags.HANDLE_KILLPRIV_V2
          | InitFlags.SECURITY_CTX
          | InitFlags.CREATE_SUPP_GROUP
          | InitFlags.WRITEBACK_CACHE
          | InitFlags.DIRECT_IO_ALLOW_MMAP;

  private static final int SMALL = 512;
  private static final int NAME_ROOM = 4096;
  private static final int LISTING_ROOM = 64 << 10;
  private static final int READAHEAD_BYTES = 128 << 10;

  private final FuseQueue queue;
  private final FuseQueue hiprio;
  private final Caller caller;

  FuseOperations(FuseQueue queue, FuseQueue hiprio, Caller caller) {
    this.queue = queue;
    this.hiprio = hiprio;
    this.caller = caller;
  }

  /** The same in another's name. */
  public FuseOperations as(Caller other) {
    return new FuseOperations(queue, hiprio, other);
  }

  /** The queue below. */
  public FuseQueue queue() {
    return queue;
  }

  private Request about(int opcode, long node) {
    return new Request(opcode, node).as(caller);
  }

  private Answer call(Request request) {
    return queue.call(request, SMALL);
  }

  /** Begins, with flags that every Linux sends and none that changes what files look like. */
  public Answer init() {
    return init(MINOR, InitFlags.EVERYDAY);
  }

  /** Begins; {@code flags} beyond 32 bits want {@link InitFlags#INIT_EXT}. */
  public Answer init(int minor, long flags) {
    return init(7, minor, flags);
  }

  /** Begins. */
  public Answer init(int major, int minor, long flags) {
    Request request =
        about(Opcode.INIT, 0).u32(major).u32(minor).u32(READAHEAD_BYTES).u32((int) flags);
    if ((flags & InitFlags.INIT_EXT) != 0) {
      request.u32((int) (flags >>> 32)).bytes(new byte[44]);
    }
    return call(request);
  }

  /** Ends. */
  public Answer destroy() {
    return call(about(Opcode.DESTROY, 0));
  }

  public Answer lookup(long directory, String name) {
    return call(about(Opcode.LOOKUP, directory).name(name));
  }

  /** Looks up one name after the other, from the shared folder on; "" is that itself. */
  public long walk(String path) {
    long node = ROOT_NODE;
    for (String name : path.split("/", -1)) {
      node = name.isEmpty() ? node : lookup(node, name).entry().node();
    }
    return node;
  }

  /** Takes back lookups, on the queue that must not wait. */
  public void forget(long node, long lookups) {
    hiprio.call(about(Opcode.FORGET, node).u64(lookups), 0);
  }

  /** Takes back one lookup of each. */
  public void forgetAll(List<Long> nodes) {
    Request request = about(Opcode.BATCH_FORGET, 0).u32(nodes.size()).u32(0);
    nodes.forEach(node -> request.u64(node).u64(1));
    queue.call(request, 0);
  }

  public Answer getattr(long node) {
    return call(about(Opcode.GETATTR, node).u32(0).u32(0).u64(0));
  }

  public Answer getattr(long node, long handle) {
    return call(about(Opcode.GETATTR, node).u32(1).u32(0).u64(handle));
  }

  public Answer statx(long node, int mask) {
    return call(about(Opcode.STATX, node).u32(0).u32(0).u64(0).u32(0).u32(mask));
  }

  public Answer setattr(long node, Change change) {
    return call(
        about(Opcode.SETATTR, node)
            .u32(change.valid())
            .u32(0)
            .u64(change.handle())
            .u64(change.size())
            .u64(0)
            .u64(change.atime())
            .u64(change.mtime())
            .u64(0)
            .u32(change.atimeNanos())
            .u32(change.mtimeNanos())
            .u32(0)
            .u32(change.mode())
            .u32(0)
            .u32(change.uid())
            .u32(change.gid())
            .u32(0));
  }

  public Answer readlink(long node) {
    return queue.call(about(Opcode.READLINK, node), NAME_ROOM);
  }

  public Answer symlink(long directory, String name, String target) {
    return call(about(Opcode.SYMLINK, directory).name(name).name(target));
  }

  public Answer mknod(long directory, String name, int mode, int device, int umask) {
    return call(about(Opcode.MKNOD, directory).u32(mode).u32(device).u32(umask).u32(0).name(name));
  }

  public Answer mkdir(long directory, String name, int mode, int umask) {
    return call(about(Opcode.MKDIR, directory).u32(mode).u32(umask).name(name));
  }

  public Answer unlink(long directory, String name) {
    return call(about(Opcode.UNLINK, directory).name(name));
  }

  public Answer rmdir(long directory, String name) {
    return call(about(Opcode.RMDIR, directory).name(name));
  }

  public Answer rename(long directory, String name, long newDirectory, String newName) {
    return call(about(Opcode.RENAME, directory).u64(newDirectory).name(name).name(newName));
  }

  /** RENAME2 with renameat2(2)'s flags. */
  public Answer rename(long directory, String name, long to, String newName, int flags) {
    return call(
        about(Opcode.RENAME2, directory).u64(to).u32(flags).u32(0).name(name).name(newName));
  }

  public Answer link(long node, long directory, String name) {
    return call(about(Opcode.LINK, directory).u64(node).name(name));
  }

  public Answer open(long node, int flags) {
    return call(about(Opcode.OPEN, node).u32(flags).u32(0));
  }

  public Answer create(long directory, String name, int flags, int mode, int umask) {
    return call(about(Opcode.CREATE, directory).u32(flags).u32(mode).u32(umask).u32(0).name(name));
  }

  public Answer tmpfile(long directory, int flags, int mode, int umask) {
    return call(about(Opcode.TMPFILE, directory).u32(flags).u32(mode).u32(umask).u32(0).name(""));
  }

  public Answer read(long node, long handle, long offset, int bytes) {
    return queue.call(transfer(Opcode.READ, node, handle, offset, bytes), bytes);
  }

  public Answer write(long node, long handle, long offset, byte[] content) {
    return call(transfer(Opcode.WRITE, node, handle, offset, content.length).bytes(content));
  }

  /** As a kernel sends it that tells how the file is open now. */
  public Answer write(long node, long handle, long offset, byte[] content, int flags) {
    return call(transfer(Opcode.WRITE, node, handle, offset, content.length, flags).bytes(content));
  }

  private Request transfer(int opcode, long node, long handle, long offset, int bytes) {
    return transfer(opcode, node, handle, offset, bytes, 0);
  }

  private Request transfer(int opcode, long node, long handle, long offset, int bytes, int flags) {
    return about(opcode, node).u64(handle).u64(offset).u32(bytes).u32(0).u64(0).u32(flags).u32(0);
  }

  public Answer statfs(long node) {
    return call(about(Opcode.STATFS, node));
  }

  public Answer release(long node, long handle) {
    return call(about(Opcode.RELEASE, node).u64(handle).u32(0).u32(0).u64(0));
  }

  /** The last descriptor of an owner of locks is closed. */
  public Answer flush(long node, long handle, long owner) {
    return call(about(Opcode.FLUSH, node).u64(handle).u32(0).u32(0).u64(owner));
  }

  public Answer fsync(long node, long handle, boolean dataOnly) {
    return call(about(Opcode.FSYNC, node).u64(handle).u32(dataOnly ? 1 : 0).u32(0));
  }

  public Answer fsyncdir(long node, long handle) {
    return call(about(Opcode.FSYNCDIR, node).u64(handle).u32(0).u32(0));
  }

  /** SETXATTR in the long form if that was agreed ({@link InitFlags#SETXATTR_EXT}). */
  public Answer setxattr(long node, String name, byte[] value, int flags, boolean extended) {
    Request request = about(Opcode.SETXATTR, node).u32(value.length).u32(flags);
    return call((extended ? request.u32(0).u32(0) : request).name(name).bytes(value));
  }

  /** With no room, only how long it is. */
  public Answer getxattr(long node, String name, int room) {
    return queue.call(
        about(Opcode.GETXATTR, node).u32(room).u32(0).name(name), Math.max(room, SMALL));
  }

  /** With no room, only how long it is. */
  public Answer listxattr(long node, int room) {
    return queue.call(about(Opcode.LISTXATTR, node).u32(room).u32(0), Math.max(room, SMALL));
  }

  public Answer removexattr(long node, String name) {
    return call(about(Opcode.REMOVEXATTR, node).name(name));
  }

  public Answer opendir(long node) {
    return call(about(Opcode.OPENDIR, node).u32(DIRECTORY_FLAGS).u32(0));
  }

  /** O_DIRECTORY, O_NONBLOCK and O_LARGEFILE, as opendir(3) has it in Linux on x86-64. */
  private static final int DIRECTORY_FLAGS = 0x18800;

  public Answer readdir(long node, long handle, long offset, int room) {
    return queue.call(transfer(Opcode.READDIR, node, handle, offset, room), room);
  }

  public Answer readdirplus(long node, long handle, long offset, int room) {
    return queue.call(transfer(Opcode.READDIRPLUS, node, handle, offset, room), room);
  }

  /** All of a directory with attributes: each name but the dots counts as looked up. */
  public List<Answer.Dirent> listPlus(long node) {
    long handle = opendir(node).opened().handle();
    var all = new ArrayList<Answer.Dirent>();
    List<Answer.Dirent> some = readdirplus(node, handle, 0, LISTING_ROOM).listingPlus();
    while (!some.isEmpty()) {
      all.addAll(some);
      some = readdirplus(node, handle, some.getLast().offset(), LISTING_ROOM).listingPlus();
    }
    releasedir(node, handle).ok();
    return all;
  }

  public Answer releasedir(long node, long handle) {
    return call(about(Opcode.RELEASEDIR, node).u64(handle).u32(0).u32(0).u64(0));
  }

  public Answer getlk(long node, long handle, LockRequest lock) {
    return call(lock.encode(about(Opcode.GETLK, node).u64(handle)));
  }

  public Answer setlk(long node, long handle, LockRequest lock) {
    return call(lock.encode(about(Opcode.SETLK, node).u64(handle)));
  }

  /** Waits for a lock, while other requests go on; {@link FuseQueue#await} has the answer. */
  public Ticket setlkw(long node, long handle, LockRequest lock) {
    return queue.send(lock.encode(about(Opcode.SETLKW, node).u64(handle)), SMALL);
  }

  /** Ends a request that waits; asks again, as kernels do, while the server does not know it. */
  public void interrupt(Ticket ticket) {
    Request request = about(Opcode.INTERRUPT, 0).u64(ticket.unique());
    while (hiprio.call(request, 0).error() == EAGAIN && !queue.awaits(ticket, 0)) {
      Thread.onSpinWait();
    }
  }

  private static final int EAGAIN = 11;

  public Answer access(long node, int mask) {
    return call(about(Opcode.ACCESS, node).u32(mask).u32(0));
  }

  public Answer fallocate(long node, long handle, int mode, long offset, long bytes) {
    return call(about(Opcode.FALLOCATE, node).u64(handle).u64(offset).u64(bytes).u32(mode).u32(0));
  }

  public Answer lseek(long node, long handle, long offset, int whence) {
    return call(about(Opcode.LSEEK, node).u64(handle).u64(offset).u32(whence).u32(0));
  }

  /** One end of COPY_FILE_RANGE. */
  public record Place(long node, long handle, long offset) {}

  public Answer copyFileRange(Place from, Place to, long bytes) {
    return call(
        about(Opcode.COPY_FILE_RANGE, from.node)
            .u64(from.handle)
            .u64(from.offset)
            .u64(to.node)
            .u64(to.handle)
            .u64(to.offset)
            .u64(bytes)
            .u64(0));
  }

  public Answer syncfs(long node) {
    return call(about(Opcode.SYNCFS, node).u64(0));
  }
}
