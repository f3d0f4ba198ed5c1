package hawser.fs.dispatch;

import hawser.base.Errno;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.RequestHeader;
import hawser.fs.fuse.TransferIn;
import hawser.sys.Iovecs;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Serves READ and WRITE between files and guest memory, without making objects: on the queue's
 * thread what does not keep it from the next request for long, the rest on workers.
 */
final class Transfers {
  /** A longer transfer is not worth keeping the next request waiting. */
  private static final long SERVED_HERE_MAX = 256 << 10;

  private static final long DATA_AT = RequestHeader.BYTES + TransferIn.BYTES;

  private final Mount mount;
  private final Executor workers;
  private final MemorySegment arguments;
  private final Place here;
  private final ThreadLocal<Place> elsewhere;

  /** For the queue whose thread calls; {@code arena} must outlive the calls. */
  Transfers(Mount mount, Executor workers, Arena arena, Consumer<String> log) {
    this.mount = mount;
    this.workers = workers;
    this.arguments = arena.allocate(TransferIn.BYTES, 8);
    this.here = new Place(arena, log);
    this.elsewhere = ThreadLocal.withInitial(() -> new Place(Arena.ofAuto(), log));
  }

  /** What a thread needs for a transfer. */
  private record Place(Iovecs vector, Replies replies) {
    Place(Arena arena, Consumer<String> log) {
      this(new Iovecs(arena, Iovecs.COUNT_MAX), new Replies(arena, 0, log));
    }
  }

  /** Takes what a request says of its transfer; false when it is refused. */
  private boolean hasArguments(Chain chain, long unique, int length) {
    if (!mount.mounted() || length < DATA_AT) {
      here.replies.status(chain, unique, -Errno.EINVAL.number());
      return false;
    }
    chain.read(RequestHeader.BYTES, arguments);
    return true;
  }

  /** Serves a READ of {@code length} bytes with its header. */
  void read(Chain chain, long unique, int length) {
    if (!hasArguments(chain, unique, length)) {
      return;
    }
    long handle = TransferIn.handle(arguments);
    long offset = TransferIn.offset(arguments);
    long size = TransferIn.size(arguments);
    if (size > chain.writableBytes() - FuseReply.HEADER_BYTES) {
      here.replies.status(chain, unique, -Errno.EINVAL.number());
    } else if (size > SERVED_HERE_MAX || !read(here, chain, unique, handle, offset, size, false)) {
      workers.execute(() -> read(elsewhere.get(), chain, unique, handle, offset, size, true));
    }
  }

  /** Whether it is answered: otherwise it would have to wait. */
  private boolean read(
      Place place, Chain chain, long unique, long handle, long offset, long size, boolean mayWait) {
    place.vector.clear();
    chain.addWritable(place.vector, FuseReply.HEADER_BYTES, size);
    long result = mount.files.read(handle, offset, place.vector, mayWait);
    if (result == -Errno.EAGAIN.number() && !mayWait) {
      return false;
    }
    place.replies.read(chain, unique, result);
    return true;
  }

  /** Serves a WRITE of {@code length} bytes with its header and data. */
  void write(Chain chain, long unique, int length) {
    if (!hasArguments(chain, unique, length)) {
      return;
    }
    long handle = TransferIn.handle(arguments);
    long offset = TransferIn.offset(arguments);
    long size = TransferIn.size(arguments);
    int flags = TransferIn.flags(arguments);
    if (size > length - DATA_AT) {
      here.replies.status(chain, unique, -Errno.EINVAL.number());
    } else if (size > SERVED_HERE_MAX) {
      workers.execute(() -> write(elsewhere.get(), chain, unique, handle, offset, size, flags));
    } else {
      write(here, chain, unique, handle, offset, size, flags);
    }
  }

  private void write(
      Place place, Chain chain, long unique, long handle, long offset, long size, int flags) {
    place.vector.clear();
    chain.addReadable(place.vector, DATA_AT, size);
    long result = mount.files.write(unique, handle, offset, flags, place.vector);
    place.replies.written(chain, unique, result);
  }
}
