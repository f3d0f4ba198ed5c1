package hawser.vhost.frontend;

import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.relay.Relay;
import java.util.concurrent.CompletableFuture;

/**
 * A relay on a thread of its own, with a front-end's end of its socket.
 *
 * @param left whether the front-end has left, once the relay has ended
 */
record RunningRelay(int frontEnd, CompletableFuture<Boolean> left) implements AutoCloseable {
  static RunningRelay with(Relay.Successors backEnds) {
    int[] pair = new int[2];
    long result = SocketCalls.socketPair(pair);
    if (Result.failed(result)) {
      throw new AssertionError(Result.errno(result).text());
    }
    var relay = new Relay(pair[1], backEnds.next(), backEnds);
    return new RunningRelay(pair[0], CompletableFuture.supplyAsync(relay::run));
  }

  /** Waits for the end; its back-ends may be taken away only then. */
  @Override
  public void close() {
    boolean _ = left.handle((_, _) -> true).join();
  }
}
