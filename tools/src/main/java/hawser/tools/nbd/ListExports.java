package hawser.tools.nbd;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.UsageFault;
import hawser.nbd.NbdUri;
import hawser.nbd.NbdUri.Place;
import hawser.nbd.ReplyStyle;
import hawser.nbd.client.ClientHandshake;
import hawser.nbd.client.Connector;
import hawser.nbd.client.NbdClient;
import hawser.nbd.client.ServerInfo;
import hawser.nbd.tls.TlsSide;
import hawser.tools.Terminal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code --list}: what another server offers, as qemu-nbd prints it. */
final class ListExports {
  private static final String[] FLAGS = {
    null,
    "readonly",
    "flush",
    "fua",
    "rotational",
    "trim",
    "zeroes",
    "df",
    "multi",
    "resize",
    "cache",
    "fast-zero",
    "block-status-payload"
  };

  private final NbdLine line;
  private final Terminal io;

  ListExports(NbdLine line, Terminal io) {
    this.line = line;
    this.io = io;
  }

  int run(@Nullable TlsSide tls) {
    try {
      var first = new Connector(place(), "", List.of(), ReplyStyle.EXTENDED, tls);
      ClientHandshake handshake = first.handshake();
      List<ClientHandshake.Listed> listed;
      try (var _ = handshake.transport()) {
        listed = handshake.list();
        handshake.abort();
        io.line("exports available: " + listed.size());
      }
      for (var export : listed) {
        print(first, export);
      }
      return 0;
    } catch (BlockFault | PeerFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private Place place() {
    if (line.socket != null) {
      return new Place.Unix(line.socket);
    }
    String host = line.bind == null ? "0.0.0.0" : line.bind;
    String port = line.port == null ? String.valueOf(NbdUri.PORT) : line.port;
    if (!port.matches("\\d{1,5}") || Integer.parseInt(port) > 0xffff) {
      throw new UsageFault("port " + port + " is not in 0..65535");
    }
    return new Place.Tcp(host, Integer.parseInt(port));
  }

  private void print(Connector first, ClientHandshake.Listed export) throws BlockFault {
    io.line(" export: '" + export.name() + "'");
    if (!export.description().isEmpty()) {
      io.line("  description: " + export.description());
    }
    ClientHandshake handshake = first.handshake();
    handshake.agreeOnStyle(ReplyStyle.EXTENDED);
    List<String> contexts = handshake.listContexts(export.name(), List.of());
    ServerInfo told = handshake.info(export.name());
    if (told == null) {
      try (var client = new NbdClient(handshake.transport(), handshake.go(export.name()))) {
        print(client.server(), contexts);
      }
      return;
    }
    try (var _ = handshake.transport()) {
      print(told, contexts);
      handshake.abort();
    }
  }

  private void print(ServerInfo info, List<String> contexts) {
    io.line("  size:  " + info.size());
    var flags = new StringBuilder("  flags: 0x%x (".formatted(info.flags()));
    for (int bit = 1; bit < FLAGS.length; bit++) {
      if ((info.flags() >> bit & 1) != 0) {
        flags.append(' ').append(FLAGS[bit]);
      }
    }
    io.line(flags + " )");
    if (info.sizesTold()) {
      io.line("  min block: " + info.sizes().minimum());
      io.line("  opt block: " + info.sizes().preferred());
      io.line("  max block: " + info.sizes().maximum());
    }
    io.line("  transaction size: " + (info.style() == ReplyStyle.EXTENDED ? "64-bit" : "32-bit"));
    if (!contexts.isEmpty()) {
      io.line("  available meta contexts: " + contexts.size());
      contexts.forEach(context -> io.line("   " + context));
    }
  }
}
