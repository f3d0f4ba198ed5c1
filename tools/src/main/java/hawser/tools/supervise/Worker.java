package hawser.tools.supervise;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.tools.sandbox.Sandbox;
import hawser.tools.supervise.Channel.Message;
import hawser.tools.supervise.Channel.Word;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One process that serves, from its start to its end. */
final class Worker {
  private final int process;
  private final int socket;
  private final long started = System.nanoTime();
  private final Thread keeping;
  private final AtomicReference<@Nullable Integer> exitCode = new AtomicReference<>();

  private Worker(int process, int socket, Thread keeping) {
    this.process = process;
    this.socket = socket;
    this.keeping = keeping;
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
    Result.orFault(SocketCalls.socketPair(front), "socketpair");
    int process = Sandbox.startSupervised(pair[1]);
    FileCalls.close(pair[1]);
    var channel = new Channel(pair[0]);
    Thread keeping =
        Thread.ofPlatform()
            .daemon()
            .name("supervisor-keeping")
            .start(() -> keep(channel, front[1], kept, log));
    return new Worker(process, front[0], keeping);
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
    } else if (message.descriptor() < 0) {
      log.accept("a descriptor cannot be kept: too many are open");
    } else {
      kept.keep(message.key(), message.descriptor());
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

  void signal(int signal) {
    ProcessCalls.signal(process, signal);
  }

  /**
   * Waits for its end, and until everything that it gave is kept; answers its exit code, or 128 and
   * the number of the signal that killed it.
   */
  int await() {
    // The kernel says it once.
    Integer known = exitCode.get();
    int code = known == null ? ProcessCalls.waitFor(process) : known;
    exitCode.set(code);
    boolean interrupted = false;
    while (keeping.isAlive()) {
      try {
        keeping.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return code;
  }
}
