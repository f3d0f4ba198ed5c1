package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.nbd.ExportCatalog;
import hawser.nbd.ExportInfo;
import hawser.nbd.transport.Transport;
import hawser.sys.SocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * An NBD server: disks under names, offered on any number of sockets. All methods may be called
 * from any thread.
 *
 * <pre>{@code
 * try (var server = new NbdServer(ServerOptions.DEFAULT, ServerListener.NONE)) {
 *   server.add(Export.of("", disk, true));
 *   server.listen(new SocketAddress.Unix("/run/disk.sock"));
 *   ...
 * }
 * }</pre>
 */
public final class NbdServer implements AutoCloseable {
  /** Threads that may wait for nodes, over all clients. */
  private static final int WORKERS_MAX = 256;

  private final ServerOptions options;
  private final ServerListener listener;
  private final Deadlines deadlines;
  private final ServerResources resources;
  private final Map<String, Export> exports = new ConcurrentSkipListMap<>();
  private final Set<Acceptor> acceptors = new LinkedHashSet<>();
  private final Set<Connection> connections = new LinkedHashSet<>();
  private long accepted;
  private boolean stopped;

  /** A server without exports that listens nowhere yet. */
  public NbdServer(ServerOptions options, ServerListener listener) {
    this(options, listener, Deadlines.real());
  }

  /** The same with a clock of the caller's, which the server closes. */
  public NbdServer(ServerOptions options, ServerListener listener, Deadlines deadlines) {
    this.options = options;
    this.listener = listener;
    this.deadlines = deadlines;
    this.resources =
        new ServerResources(
            new Workers("nbd-worker", WORKERS_MAX), new BufferPool(), options.inFlightMax());
  }

  /**
   * Offers a disk.
   *
   * @throws BlockFault when the node cannot tell its length
   * @throws IllegalArgumentException when the name is taken
   */
  public void add(Export export) throws BlockFault {
    ExportInfo info = export.info();
    if (exports.putIfAbsent(info.name(), export) != null) {
      throw new IllegalArgumentException("export '" + info.name() + "' is there already");
    }
  }

  /** Takes a disk away; its clients are disconnected after the requests under way. */
  public void remove(String name) {
    Export gone = exports.remove(name);
    if (gone != null) {
      for (Connection connection : connections()) {
        connection.stopIfUsing(gone);
      }
    }
  }

  /**
   * Accepts clients at an address from now on.
   *
   * @return the address, with the port that the kernel chose where 0 was asked for
   * @throws BlockFault when the address cannot be had
   */
  public SocketAddress listen(SocketAddress address) throws BlockFault {
    return start(Acceptor.bind(this, address)).address();
  }

  /** Accepts clients on a socket that listens already, such as one from socket activation. */
  public void listen(int listeningDescriptor, SocketAddress address) {
    start(new SocketAcceptor(this, listeningDescriptor, address, false));
  }

  private Acceptor start(Acceptor acceptor) {
    synchronized (this) {
      if (stopped) {
        acceptor.close();
        throw new IllegalStateException("server is stopped");
      }
      acceptors.add(acceptor);
    }
    acceptor.start();
    return acceptor;
  }

  /** How many clients there are now, those in the handshake included. */
  public synchronized int clients() {
    return connections.size();
  }

  /**
   * Stops: no new clients, requests under way are finished and answered, every writable disk is
   * flushed. Returns when all of that is done; stopping twice is harmless.
   *
   * @throws BlockFault when a disk could not be flushed; everything else is stopped all the same
   */
  public void stop() throws BlockFault {
    List<Acceptor> closing;
    synchronized (this) {
      stopped = true;
      closing = List.copyOf(acceptors);
      acceptors.clear();
      notifyAll();
    }
    closing.forEach(Acceptor::close);
    connections().forEach(Connection::stop);
    awaitNoClients();
    deadlines.close();
    resources.buffers().trim();
    flushAll();
  }

  private void flushAll() throws BlockFault {
    BlockFault failed = null;
    for (Export export : exports.values()) {
      try {
        if (export.writable() && !export.node().readOnly()) {
          export.node().flush();
        }
      } catch (BlockFault e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  private synchronized void awaitNoClients() {
    boolean interrupted = false;
    while (!connections.isEmpty()) {
      try {
        wait();
      } catch (InterruptedException e) {
        // Disks must not be closed under running requests, so an interrupt has to wait.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws BlockFault {
    stop();
  }

  /**
   * Waits for room for one more client; false when the server is stopping. The room is taken by
   * {@link #accept}.
   */
  synchronized boolean awaitRoom() {
    while (!stopped
        && options.connectionsMax() > 0
        && connections.size() >= options.connectionsMax()) {
      try {
        wait();
      } catch (InterruptedException e) {
        return false;
      }
    }
    return !stopped;
  }

  /** Serves a connected client on a thread of its own. */
  void accept(Transport transport, SocketAddress through) {
    Connection connection;
    long number;
    synchronized (this) {
      if (stopped) {
        transport.close();
        return;
      }
      number = ++accepted;
      connection = new Connection(this, transport, new ClientInfo(number, through, "", false));
      connections.add(connection);
    }
    var thread = new Thread(null, connection, "nbd-client-" + number, 512 << 10);
    thread.setDaemon(true);
    thread.start();
  }

  void began(ClientInfo client) {
    listener.clientConnected(client);
  }

  void refused(ClientInfo client, String why) {
    listener.handshakeFailed(client, why);
  }

  void gone(Connection connection, ClientInfo client, String why) {
    boolean last;
    synchronized (this) {
      connections.remove(connection);
      last = connections.isEmpty();
      notifyAll();
    }
    if (last) {
      resources.buffers().trim();
    }
    listener.clientGone(client, why);
  }

  private synchronized Collection<Connection> connections() {
    return new ArrayList<>(connections);
  }

  ServerOptions options() {
    return options;
  }

  Deadlines deadlines() {
    return deadlines;
  }

  ServerResources resources() {
    return resources;
  }

  @Nullable Export export(String name) {
    return exports.get(name);
  }

  /** The exports as a handshake sees them; one whose node cannot tell its length is not there. */
  ExportCatalog catalog() {
    return new ExportCatalog() {
      @Override
      public List<ExportInfo> list() {
        return exports.values().stream().flatMap(export -> told(export).stream()).toList();
      }

      @Override
      public Optional<ExportInfo> find(String name) {
        return Optional.ofNullable(exports.get(name)).flatMap(NbdServer::told);
      }
    };
  }

  private static Optional<ExportInfo> told(Export export) {
    try {
      return Optional.of(export.info());
    } catch (BlockFault e) {
      // The disk has failed; to a client it is as if it were not there.
      return Optional.empty();
    }
  }
}
