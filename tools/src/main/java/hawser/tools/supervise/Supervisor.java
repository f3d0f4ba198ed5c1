package hawser.tools.supervise;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.tools.StaleSocket;
import hawser.tools.StopSignal;
import hawser.vhost.message.Descriptors;
import hawser.vhost.relay.Relay;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Owns the socket of a back-end and lets a worker serve it, and another one go on when that dies.
 * It holds the front-end's descriptors and those that the worker gives it, and knows nothing of
 * what they are for.
 */
public final class Supervisor {
  /** So many workers in a row may die young; then it is no accident. */
  private static final int YOUNG_DEATHS_MAX = 5;

  /** Above this an exit code is the number of a signal. */
  private static final int SIGNALLED = 128;

  private static final long YOUNG_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final int socket;
  private final List<Path> leftovers;
  private final Consumer<String> log;
  private final Kept kept = new Kept();
  private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
  private Worker worker;
  private int youngDeaths;
  private boolean ending;

  private Supervisor(int socket, List<Path> leftovers, Consumer<String> log) throws BlockFault {
    this.socket = socket;
    this.leftovers = leftovers;
    this.log = log;
    this.worker = Worker.start(kept, log);
  }

  /**
   * Supervises until a signal comes, or the front-end of a connected socket leaves; answers the
   * exit code.
   *
   * @param socket connected or listening
   * @param leftovers files of sockets to be removed at the end
   * @param log takes a line about each death
   */
  public static int run(int socket, List<Path> leftovers, Consumer<String> log) throws BlockFault {
    return new Supervisor(socket, leftovers, log).run();
  }

  private int run() {
    try (var stop = new StopSignal()) {
      Thread.ofPlatform().daemon().name("supervisor").start(() -> serve(stop));
      stop.await();
      boolean asked = !exitCode.isDone();
      end();
      int last = exitCode.join();
      // A worker that still starts ends by our signal or its keeper's, and not by itself.
      int code = asked && last > SIGNALLED ? 0 : last;
      leftovers.forEach(StaleSocket::forget);
      stop.exitWith(code);
      return code;
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the main thread", e);
    }
  }

  /** Lets the worker end, which ends {@link #serve}. */
  private synchronized void end() {
    if (!ending) {
      ending = true;
      worker.signal(ProcessCalls.SIGTERM);
    }
    SocketCalls.shutdown(socket, SocketCalls.SHUT_RDWR);
  }

  private synchronized boolean isEnding() {
    return ending;
  }

  private void serve(StopSignal stop) {
    int code = 1;
    try {
      code = SocketCalls.isListening(socket) == 1 ? serveEach() : serve(socket);
    } catch (BlockFault e) {
      log.accept(e.getMessage());
    } finally {
      exitCode.complete(code);
      stop.stop();
    }
  }

  /** Serves one front-end after the other; each has a worker that knows nothing of the others. */
  private int serveEach() throws BlockFault {
    while (true) {
      long frontEnd = SocketCalls.accept(socket);
      if (Result.failed(frontEnd)) {
        return current().await();
      }
      int code = serve((int) frontEnd);
      if (code != 0 || isEnding()) {
        return code;
      }
      kept.clear();
      replace();
    }
  }

  /** Serves a front-end until it leaves; answers how the last worker ended. */
  private int serve(int frontEnd) {
    try {
      boolean _ = new Relay(frontEnd, current().socket(), new Successors()).run();
    } catch (PeerFault e) {
      log.accept(String.valueOf(e.getMessage()));
    }
    return current().await();
  }

  private synchronized Worker current() {
    return worker;
  }

  private synchronized void replace() throws BlockFault {
    worker = Worker.start(kept, log);
    if (ending) {
      worker.signal(ProcessCalls.SIGTERM);
    }
  }

  /** Workers that take the place of one that died. */
  private final class Successors implements Relay.Successors {
    private long died;
    private String how = "";

    @Override
    public int next() {
      Worker gone = current();
      int code = gone.await();
      if (code < SIGNALLED || isEnding()) {
        // One that ends by itself has said why, and the next one would do the same.
        return Descriptors.NONE;
      }
      died = System.nanoTime();
      how = "signal " + (code - SIGNALLED);
      youngDeaths = gone.age() < YOUNG_NANOS ? youngDeaths + 1 : 0;
      if (youngDeaths == YOUNG_DEATHS_MAX) {
        log.accept("died %d times in a row (%s): given up".formatted(youngDeaths, how));
        return Descriptors.NONE;
      }
      try {
        replace();
        return current().socket();
      } catch (BlockFault e) {
        log.accept(e.getMessage());
        return Descriptors.NONE;
      }
    }

    @Override
    public void served() {
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - died);
      log.accept(
          "died (%s); after %d ms another one serves, with %d descriptors"
              .formatted(how, millis, kept.count()));
    }
  }
}
