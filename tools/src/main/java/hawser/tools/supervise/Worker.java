package hawser.tools.supervise;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.tools.sandbox.Sandbox;
import hawser.tools.supervise.Channel.Message;
import hawser.tools.supervise.Channel.Word;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One process that serves, from its start to its end. */
final class Worker {
  /** So long a worker may take to end when its connection has ended; then it is killed. */
  private static final long GRACE_SECONDS = 10;

  private final int process;
  private final int socket;
  private final long started = System.nanoTime();
  private final CompletableFuture<Void> keeping;
  private final CompletableFuture<Integer> end;

  private Worker(int process, int socket, CompletableFuture<Void> keeping) {
    this.process = process;
    this.socket = socket;
    this.keeping = keeping;
    this.end = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("supervisor-waiting")
        .start(() -> end.complete(ProcessCalls.waitFor(process)));
  }

  /**
   * Starts one that goes on with what is kept, and keeps what it gives.
   *
   * @param log takes a line about what cannot be kept
   */
  static Worker start(Kept kept, Consumer<String> log) throws BlockFault {
    var pair = new int[2];
    Result.orFault(SocketCalls.socketPair(pair), "socketpair");
    var front = new int[2];
    boolean started = false;
    try {
      Result.orFault(SocketCalls.socketPair(front), "socketpair");
      int process = Sandbox.startSupervised(pair[1]);
      started = true;
      var keeping = new CompletableFuture<Void>();
      Thread.ofPlatform()
          .daemon()
          .name("supervisor-keeping")
          .start(
              () -> {
                keep(new Channel(pair[0]), front[1], kept, log);
                keeping.complete(null);
              });
      return new Worker(process, front[0], keeping);
    } finally {
      FileCalls.close(pair[1]);
      if (!started) {
        FileCalls.close(pair[0]);
        FileCalls.close(front[0]);
        FileCalls.close(front[1]);
      }
    }
  }

  /** Hands everything on, and then keeps what comes until the worker is gone. */
  private static void keep(Channel channel, int socket, Kept kept, Consumer<String> log) {
    try {
      boolean there =
          kept.sendTo(channel)
              && channel.send(Word.KEEP, Supervision.SOCKET_KEY, socket)
              && channel.send(Word.END, 0);
      FileCalls.close(socket);
      Message next = there ? channel.receive() : null;
      while (next != null) {
        take(next, kept, log);
        next = channel.receive();
      }
    } catch (BlockFault e) {
      log.accept(e.getMessage());
    } finally {
      FileCalls.close(channel.fd());
    }
  }

  private static void take(Message message, Kept kept, Consumer<String> log) {
    if (message.word() == Word.DROP) {
      kept.drop(message.key());
    } else if (message.descriptor() < 0 || !kept.keep(message.key(), message.descriptor())) {
      log.accept("a descriptor cannot be kept: too many are open");
    }
  }

  /** The connection on which it serves, which whoever takes it closes. */
  int socket() {
    return socket;
  }

  /** Nanoseconds since its start. */
  long age() {
    return System.nanoTime() - started;
  }

  /** Sends it a signal, if it has not ended. */
  void signal(int signal) {
    if (!end.isDone()) {
      ProcessCalls.signal(process, signal);
    }
  }

  /**
   * Waits for the end of a worker that has hung up, and until everything that it gave is kept;
   * answers its exit code, or 128 and the number of the signal that killed it.
   */
  int await() {
    CompletableFuture.delayedExecutor(GRACE_SECONDS, TimeUnit.SECONDS)
        .execute(() -> signal(ProcessCalls.SIGKILL));
    int code = end.join();
    keeping.join();
    return code;
  }
}
