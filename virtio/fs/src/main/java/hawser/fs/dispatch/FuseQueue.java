package hawser.fs.dispatch;

import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.Opcode;
import hawser.fs.fuse.RequestHeader;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Serves one virtqueue of FUSE requests on its thread; those that may wait go to workers. A request
 * that breaks the rules is answered with an error, and the next one is served.
 */
final class FuseQueue implements QueueHandler {
  /** Bytes of an answer at most, besides a READ's: a listing, or an attribute's value. */
  static final int ANSWER_BYTES_MAX = 1 << 20;

  /** Bytes of a request at most, besides a WRITE's data. */
  private static final int REQUEST_BYTES_MAX = 256 << 10;

  private final Mount mount;
  private final Executor workers;
  private final Consumer<String> log;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment head = arena.allocate(RequestHeader.BYTES, 8);
  private final MemorySegment in = arena.allocate(REQUEST_BYTES_MAX, 8);
  private final Replies replies;
  private final Transfers transfers;

  FuseQueue(Mount mount, Executor workers, Consumer<String> log) {
    this.mount = mount;
    this.workers = workers;
    this.log = log;
    this.replies = new Replies(arena, ANSWER_BYTES_MAX, log);
    this.transfers = new Transfers(mount, workers, arena, log);
  }

  @Override
  public void handle(Chain chain) {
    if (chain.readableBytes() < RequestHeader.BYTES) {
      log.accept("a FUSE request of %d bytes: at least 40".formatted(chain.readableBytes()));
      reject(chain, 0, Errno.EINVAL);
      return;
    }
    chain.read(0, head);
    int length = RequestHeader.length(head);
    long unique = RequestHeader.unique(head);
    int opcode = RequestHeader.opcode(head);
    if (length < RequestHeader.BYTES || length > chain.readableBytes()) {
      log.accept(
          "a FUSE request says that it has %s bytes, of %d"
              .formatted(Integer.toUnsignedString(length), chain.readableBytes()));
      reject(chain, unique, Errno.EINVAL);
    } else if (opcode == Opcode.READ.number) {
      transfers.read(chain, unique, length);
    } else if (opcode == Opcode.WRITE.number) {
      transfers.write(chain, unique, length);
    } else {
      other(chain, RequestHeader.read(head));
    }
  }

  private void reject(Chain chain, long unique, Errno error) {
    replies.status(chain, unique, -error.number());
  }

  private void other(Chain chain, RequestHeader header) {
    int bytes = header.length() - RequestHeader.BYTES;
    if (bytes > REQUEST_BYTES_MAX) {
      log.accept("a FUSE request of %d bytes: at most %d".formatted(bytes, REQUEST_BYTES_MAX));
      reject(chain, header.unique(), Errno.ENOMEM);
      return;
    }
    MemorySegment arguments = in.asSlice(0, bytes);
    chain.read(RequestHeader.BYTES, arguments);
    FuseRequest request;
    try {
      request = mount.reader().request(header, arguments);
    } catch (PeerFault e) {
      log.accept(String.valueOf(e.getMessage()));
      reject(chain, header.unique(), Errno.EINVAL);
      return;
    }
    if (mayWait(request)) {
      serveElsewhere(chain, header, request);
    } else {
      FuseReply reply = serve(new Call(header, replies.room()), request);
      replies.answer(chain, header.unique(), reply);
    }
  }

  private static boolean mayWait(FuseRequest request) {
    return switch (request) {
      case FuseRequest.Setlk lock -> lock.waits();
      case FuseRequest.Fsync _,
          FuseRequest.Fsyncdir _,
          FuseRequest.Syncfs _,
          FuseRequest.CopyFileRange _,
          FuseRequest.Fallocate _ ->
          true;
      default -> false;
    };
  }

  private void serveElsewhere(Chain chain, RequestHeader header, FuseRequest request) {
    var call = new Call(header, MemorySegment.NULL);
    mount.waits(call);
    workers.execute(
        () -> {
          try (var memory = Arena.ofConfined()) {
            FuseReply reply = serve(call, request);
            mount.ended(call);
            new Replies(memory, 0, log).answer(chain, header.unique(), reply);
          }
        });
  }

  private FuseReply serve(Call call, FuseRequest request) {
    return switch (request) {
      case FuseRequest.Init init -> mount.init(init);
      case FuseRequest.Destroy _ -> {
        mount.destroy();
        yield new FuseReply.Done();
      }
      // It may have overtaken its request on another queue: the kernel then asks again (fuse.rst,
      // "Interrupting filesystem operations").
      case FuseRequest.Interrupt(long unique) ->
          mount.interrupt(unique)
              ? new FuseReply.None()
              : new FuseReply.Failed(Errno.EAGAIN.number());
      case FuseRequest.Forget _, FuseRequest.BatchForget _ -> {
        if (mount.mounted()) {
          mount.files.handle(call, request);
        }
        yield new FuseReply.None();
      }
      case FuseRequest.Unsupported _ -> new FuseReply.Failed(Errno.ENOSYS.number());
      default ->
          mount.mounted()
              ? mount.files.handle(call, request)
              : new FuseReply.Failed(Errno.EIO.number());
    };
  }

  @Override
  public void stopping() {
    mount.interruptAll();
  }

  @Override
  public void close() {
    arena.close();
  }
}
