package hawser.vhost.frontend;

import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.backend.Device;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.Header;
import hawser.vhost.relay.Relay;

/**
 * Back-ends for a relay, one after the other, the first of which are cut off at a message: it never
 * reaches them, or their answer to it nobody.
 */
final class MortalBackEnd implements Relay.Successors, AutoCloseable {
  /** So many in a row that die of what they are told are not to be the relay's for ever. */
  private static final int UNSERVED_MAX = 200;

  private final Served served;
  private final int cutAt;
  private final boolean swallowsAnswer;
  private int mortals;
  private int unserved;
  private int link = Descriptors.NONE;
  private Thread between = Thread.ofPlatform().unstarted(() -> {});

  /** How many have been told everything after another. */
  int successions;

  MortalBackEnd(Device device, int mortals, int cutAt, boolean swallowsAnswer) {
    this(new Served(device), mortals, cutAt, swallowsAnswer);
  }

  MortalBackEnd(Served served, int mortals, int cutAt, boolean swallowsAnswer) {
    this.served = served;
    this.mortals = mortals;
    this.cutAt = cutAt;
    this.swallowsAnswer = swallowsAnswer;
  }

  /** Those that die when they are told to. */
  static MortalBackEnd of(Device device) {
    return new MortalBackEnd(device, Integer.MAX_VALUE, Integer.MAX_VALUE, false);
  }

  /** The present one is gone: what the front-end asks from now on, its successor answers. */
  synchronized void die() {
    SocketCalls.shutdown(link, SocketCalls.SHUT_RDWR);
  }

  @Override
  public int next() {
    try {
      // Two of them must not work on the same rings.
      between.join();
      served.awaitEnd();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    if (++unserved > UNSERVED_MAX) {
      return Descriptors.NONE;
    }
    int backEnd = served.connect();
    if (mortals-- <= 0) {
      return backEnd;
    }
    int[] pair = new int[2];
    long result = SocketCalls.socketPair(pair);
    if (Result.failed(result)) {
      throw new AssertionError(Result.errno(result).text());
    }
    begin(pair[1], backEnd);
    return pair[0];
  }

  /** How many have not been cut off. */
  int alive() {
    return mortals < 0 ? -mortals : 0;
  }

  @Override
  public void served() {
    successions++;
    unserved = 0;
  }

  private synchronized void begin(int relay, int backEnd) {
    link = relay;
    between = Thread.ofPlatform().start(() -> pass(relay, backEnd));
  }

  private void pass(int relay, int backEnd) {
    try (var one = new VhostSocket(relay);
        var other = new VhostSocket(backEnd)) {
      int messages = 0;
      while (true) {
        boolean asks = SocketCalls.pollEither(relay, backEnd) == 0;
        try (Received message = (asks ? one : other).receive()) {
          boolean lost = asks && !swallowsAnswer && ++messages > cutAt;
          if (message == null || lost) {
            return;
          }
          boolean unanswered = asks && swallowsAnswer && ++messages > cutAt;
          send(message, asks ? other : one);
          if (unanswered) {
            if (SocketCalls.poll(backEnd, SocketCalls.POLLIN, 5) > 0) {
              Received answer = other.receive();
              if (answer != null) {
                answer.close();
              }
            }
            return;
          }
        }
      }
    }
  }

  private static void send(Received message, VhostSocket to) {
    int[] fds = new int[message.descriptors().count()];
    for (int i = 0; i < fds.length; i++) {
      fds[i] = message.descriptors().takeOrNone();
    }
    Header header = message.header();
    try (var _ = new Descriptors(fds)) {
      to.send(header.request(), header.flags() & ~Header.VERSION, message.payload(), fds);
    }
  }

  @Override
  public void close() throws InterruptedException {
    between.join();
    served.close();
  }
}
