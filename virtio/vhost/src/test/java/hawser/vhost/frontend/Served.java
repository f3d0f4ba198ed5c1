package hawser.vhost.frontend;

import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.backend.BackEnd;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.Device;
import java.util.ArrayList;
import java.util.List;

/** A back-end in this process, on a socket pair. */
final class Served implements AutoCloseable {
  private final BackEnd backEnd;
  private final List<Thread> threads = new ArrayList<>();

  Served(Device device) {
    this(device, BackEndOptions.loggingTo(_ -> {}));
  }

  Served(Device device, BackEndOptions options) {
    this.backEnd = new BackEnd(device, options);
  }

  /** The front-end's end of a new connection. */
  int connect() {
    int[] pair = new int[2];
    long result = SocketCalls.socketPair(pair);
    if (Result.failed(result)) {
      throw new AssertionError(Result.errno(result).text());
    }
    threads.add(Thread.ofPlatform().start(() -> backEnd.serve(pair[1])));
    return pair[0];
  }

  FrontEnd frontEnd() {
    return new FrontEnd(connect(), FrontEnd.PATIENCE);
  }

  /** Waits until every connection has ended. */
  void awaitEnd() throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
    threads.clear();
  }

  @Override
  public void close() throws InterruptedException {
    backEnd.close();
    awaitEnd();
  }
}
