package hawser.fs.dispatch;

import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.Opcode;
import hawser.fs.fuse.RequestHeader;
import hawser.fs.fuse.RequestReader;
import hawser.sys.Iovecs;
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

  /** What a reply other than a listing needs at most. */
  private static final int REPLY_BYTES_MAX = 512;

  private final Mount mount;
  private final Executor workers;
  private final Consumer<String> log;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment head = arena.allocate(RequestHeader.BYTES, 8);
  private final MemorySegment in = arena.allocate(REQUEST_BYTES_MAX, 8);
  private final MemorySegment transfer = arena.allocate(FuseRequest.Write.BYTES, 8);
  private final Answer answer = new Answer(arena);
  private final Iovecs vector = new Iovecs(arena, Iovecs.COUNT_MAX);

  FuseQueue(Mount mount, Executor workers, Consumer<String> log) {
    this.mount = mount;
    this.workers = workers;
    this.log = log;
  }

  /** Where replies are made: one for each thread that makes any. */
  private record Answer(MemorySegment small, MemorySegment room) {
    Answer(Arena arena) {
      this(
          arena.allocate(FuseReply.HEADER_BYTES + REPLY_BYTES_MAX, 8),
          arena.allocate(ANSWER_BYTES_MAX, 8));
    }
  }

  @Override
  public void handle(Chain chain) {
    if (chain.readableBytes() < RequestHeader.BYTES) {
      log.accept("a FUSE request of %d bytes: at least 40".formatted(chain.readableBytes()));
      reject(chain, 0, Errno.EINVAL);
      return;
    }
    chain.read(0, head);
    RequestHeader header = RequestHeader.read(head);
    if (header.length() < RequestHeader.BYTES || header.length() > chain.readableBytes()) {
      log.accept(
          "a FUSE request says that it has %s bytes, of %d"
              .formatted(Integer.toUnsignedString(header.length()), chain.readableBytes()));
      reject(chain, header.unique(), Errno.EINVAL);
      return;
    }
    if (header.opcode() == Opcode.READ.number) {
      read(chain, header);
    } else if (header.opcode() == Opcode.WRITE.number) {
      write(chain, header);
    } else {
      other(chain, header);
    }
  }

  private void reject(Chain chain, long unique, Errno error) {
    complete(chain, unique, -error.number());
  }

  /** Completes a chain with a reply of a header alone; {@code result} is 0 or a negated error. */
  private void complete(Chain chain, long unique, long result) {
    if (chain.writableBytes() < FuseReply.HEADER_BYTES) {
      chain.complete(0);
      return;
    }
    MemorySegment reply = answer.small();
    FuseReply.writeHeader(reply, FuseReply.HEADER_BYTES, (int) result, unique);
    chain.write(0, reply.asSlice(0, FuseReply.HEADER_BYTES));
    chain.complete(FuseReply.HEADER_BYTES);
  }

  private void read(Chain chain, RequestHeader header) {
    if (!mount.mounted() || header.length() < RequestHeader.BYTES + FuseRequest.Read.BYTES) {
      reject(chain, header.unique(), Errno.EINVAL);
      return;
    }
    chain.read(RequestHeader.BYTES, transfer);
    FuseRequest.Read read = RequestReader.read(transfer);
    if (read.size() < 0 || read.size() > chain.writableBytes() - FuseReply.HEADER_BYTES) {
      reject(chain, header.unique(), Errno.EINVAL);
      return;
    }
    vector.clear();
    chain.addWritable(vector, FuseReply.HEADER_BYTES, read.size());
    long result = mount.files.read(read.handle(), read.offset(), vector);
    if (result < 0) {
      complete(chain, header.unique(), result);
      return;
    }
    MemorySegment reply = answer.small();
    FuseReply.writeHeader(reply, FuseReply.HEADER_BYTES + result, 0, header.unique());
    chain.write(0, reply.asSlice(0, FuseReply.HEADER_BYTES));
    chain.complete(FuseReply.HEADER_BYTES + result);
  }

  private void write(Chain chain, RequestHeader header) {
    long dataAt = RequestHeader.BYTES + FuseRequest.Write.BYTES;
    if (!mount.mounted() || header.length() < dataAt) {
      reject(chain, header.unique(), Errno.EINVAL);
      return;
    }
    chain.read(RequestHeader.BYTES, transfer);
    FuseRequest.Write write = RequestReader.write(transfer);
    if (write.size() < 0 || write.size() > header.length() - dataAt) {
      reject(chain, header.unique(), Errno.EINVAL);
      return;
    }
    vector.clear();
    chain.addReadable(vector, dataAt, write.size());
    long result = mount.files.write(write.handle(), write.offset(), write.writeFlags(), vector);
    if (result < 0) {
      complete(chain, header.unique(), result);
    } else {
      answer(chain, header.unique(), new FuseReply.Count((int) result), answer);
    }
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
      answer(chain, header.unique(), serve(new Call(header, answer.room()), request), answer);
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
            var own =
                new Answer(
                    memory.allocate(FuseReply.HEADER_BYTES + REPLY_BYTES_MAX, 8),
                    MemorySegment.NULL);
            FuseReply reply = serve(call, request);
            mount.ended(call);
            answer(chain, header.unique(), reply, own);
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

  private void answer(Chain chain, long unique, FuseReply reply, Answer place) {
    switch (reply) {
      case FuseReply.None _ -> chain.complete(0);
      case FuseReply.Failed(int errno) -> send(chain, unique, -errno, reply, place);
      default -> send(chain, unique, 0, reply, place);
    }
  }

  private void send(Chain chain, long unique, int error, FuseReply reply, Answer place) {
    long length = FuseReply.HEADER_BYTES + reply.bytes();
    MemorySegment small = place.small();
    if (length > chain.writableBytes()) {
      if (chain.writableBytes() < FuseReply.HEADER_BYTES) {
        chain.complete(0);
        return;
      }
      log.accept(
          "a FUSE reply of %d bytes: there is room for %d"
              .formatted(length, chain.writableBytes()));
      FuseReply.writeHeader(small, FuseReply.HEADER_BYTES, -Errno.EIO.number(), unique);
      chain.write(0, small.asSlice(0, FuseReply.HEADER_BYTES));
      chain.complete(FuseReply.HEADER_BYTES);
      return;
    }
    FuseReply.writeHeader(small, length, error, unique);
    if (reply instanceof FuseReply.Data(MemorySegment content)) {
      chain.write(0, small.asSlice(0, FuseReply.HEADER_BYTES));
      chain.write(FuseReply.HEADER_BYTES, content);
    } else {
      reply.write(small, FuseReply.HEADER_BYTES);
      chain.write(0, small.asSlice(0, length));
    }
    chain.complete(length);
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
