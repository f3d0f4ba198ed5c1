package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.util.concurrent.TimeUnit;

/**
 * A connection that is made again when it was lost (QEMU's {@code reconnect-delay} and {@code
 * open-timeout}). Safe from any thread.
 */
final class Connected implements AutoCloseable {
  private static final long RETRY_MILLIS = 1000;

  private final Connector connector;
  private final long reconnectMillis;
  private NbdClient client;
  private boolean closed;

  private Connected(Connector connector, NbdClient client, long reconnectSeconds) {
    this.connector = connector;
    this.client = client;
    this.reconnectMillis = TimeUnit.SECONDS.toMillis(reconnectSeconds);
  }

  /**
   * Connects for the first time.
   *
   * @param openSeconds how long to go on trying; 0 tries once
   * @param reconnectSeconds how long requests wait for a lost connection to come back
   */
  static Connected open(Connector connector, long openSeconds, long reconnectSeconds)
      throws BlockFault {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(openSeconds);
    while (true) {
      try {
        return new Connected(connector, connector.connect(), reconnectSeconds);
      } catch (BlockFault e) {
        if (openSeconds == 0 || System.nanoTime() - deadline >= 0) {
          throw e;
        }
        pause(e);
      }
    }
  }

  private static void pause(BlockFault why) throws BlockFault {
    try {
      TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw why;
    }
  }

  /** What the server said when it was first reached, or last. */
  synchronized ServerInfo server() {
    return client.server();
  }

  /**
   * Sends a request. When the connection is lost it is made anew; the request is sent once more if
   * requests are to wait for that, and fails otherwise.
   */
  void call(Exchange exchange) throws BlockFault {
    long giveUp = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(reconnectMillis);
    while (true) {
      NbdClient now = working();
      now.submit(exchange);
      now.await(exchange);
      if (!exchange.lost() || reconnectMillis == 0 || System.nanoTime() - giveUp >= 0) {
        exchange.orFault();
        return;
      }
      exchange.again();
    }
  }

  private synchronized NbdClient working() throws BlockFault {
    if (closed) {
      throw new BlockFault(Errno.EIO, "connection is closed");
    }
    if (!client.isBroken()) {
      return client;
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(reconnectMillis);
    while (true) {
      try {
        NbdClient fresh = connector.connect();
        if (!same(fresh.server(), client.server())) {
          fresh.close();
          throw new BlockFault(Errno.EIO, "the export is not the one it was before");
        }
        client.close();
        client = fresh;
        return fresh;
      } catch (BlockFault e) {
        if (System.nanoTime() - deadline >= 0) {
          throw new BlockFault(Errno.EIO, e.getMessage(), e);
        }
        pause(e);
      }
    }
  }

  private static boolean same(ServerInfo fresh, ServerInfo old) {
    return fresh.size() == old.size()
        && fresh.readOnly() == old.readOnly()
        && fresh.sizes().minimum() <= old.sizes().minimum();
  }

  @Override
  public synchronized void close() {
    closed = true;
    client.close();
  }
}
