package hawser.nbd.server;

import hawser.base.PeerFault;
import hawser.nbd.Handshake;
import hawser.nbd.HandshakeRules;
import hawser.nbd.tls.TlsSide;
import hawser.nbd.transport.Transport;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One client, from the first byte to the last; run by one thread of its own. */
final class Connection implements Runnable {
  private final NbdServer server;
  private volatile Transport transport;
  private ClientInfo client;
  private volatile @Nullable Transmission transmission;
  private volatile boolean late;
  private volatile boolean stopping;

  Connection(NbdServer server, Transport transport, ClientInfo client) {
    this.server = server;
    this.transport = transport;
    this.client = client;
  }

  @Override
  public void run() {
    String why = "defect in the server";
    try {
      why = serve();
    } catch (PeerFault e) {
      why = late ? "handshake took too long" : stopping ? "server stopped" : e.getMessage();
      if (!client.begun() && !stopping) {
        server.refused(client, String.valueOf(why));
      }
    } finally {
      transport.close();
      server.gone(this, client, why == null ? "" : why);
    }
  }

  private String serve() {
    Handshake end = handshake();
    return switch (end) {
      case Handshake.Ready ready -> transmit(ready);
      case Handshake.Ended(String why) -> why;
      case Handshake.Haggling _, Handshake.Encrypting _ -> throw new AssertionError(end);
    };
  }

  private Handshake handshake() {
    Duration limit = server.options().handshakeLimit();
    Deadlines.Pending deadline =
        limit.isZero()
            ? () -> {}
            : server
                .deadlines()
                .after(
                    limit,
                    () -> {
                      late = true;
                      transport.shutdown();
                    });
    try {
      var session = new HandshakeSession(rules(), transport);
      Handshake now = session.greet();
      if (late) {
        throw new PeerFault("no flags in time");
      }
      if (now instanceof Handshake.Haggling haggling) {
        now = session.haggle(haggling);
      }
      if (now instanceof Handshake.Encrypting encrypting) {
        transport = credentials().server(transport);
        now = new HandshakeSession(rules(), transport).haggle(encrypting.after());
      }
      return now;
    } finally {
      deadline.cancel();
    }
  }

  private TlsSide credentials() {
    TlsSide side = server.options().credentials();
    if (side == null) {
      throw new AssertionError("TLS without credentials");
    }
    return side;
  }

  private HandshakeRules rules() {
    return new HandshakeRules(server.catalog(), server.options().tls());
  }

  private String transmit(Handshake.Ready ready) {
    Export export = server.export(ready.export().name());
    if (export == null) {
      return "export '" + ready.export().name() + "' was removed";
    }
    client = client.began(export.name());
    server.began(client);
    try (var phase = new Transmission(transport, export, ready, server.resources())) {
      transmission = phase;
      if (stopping) {
        phase.stop();
      }
      phase.run();
    } finally {
      transmission = null;
    }
    return "client disconnected";
  }

  /** Lets requests under way finish, then ends the connection. */
  void stop() {
    stopping = true;
    Transmission now = transmission;
    if (now != null) {
      now.stop();
    }
    transport.shutdown();
  }

  /** Ends the connection if it uses that export. */
  void stopIfUsing(Export export) {
    Transmission now = transmission;
    if (now != null && now.export().equals(export)) {
      stop();
    }
  }
}
