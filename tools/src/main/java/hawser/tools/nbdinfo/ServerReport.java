package hawser.tools.nbdinfo;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.nbd.NbdUri;
import hawser.nbd.ReplyStyle;
import hawser.nbd.TransmissionFlags;
import hawser.nbd.client.ClientHandshake;
import hawser.nbd.client.Connector;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import hawser.nbd.client.ServerInfo;
import hawser.nbd.transport.Transport;
import hawser.tools.Terminal;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Prints what a server says of one export, or of all.
 *
 * @param lasting whether the server is there for others too, so that its URI is worth printing
 */
record ServerReport(
    NbdUri uri, boolean lasting, Connector connector, boolean json, boolean looks, boolean color) {
  /** How much of an export is shown to file(1). */
  private static final int CONTENT_BYTES = 64 << 10;

  /** One export and what is known of it. */
  private record Seen(ServerInfo info, List<String> contexts, @Nullable String content) {}

  void print(boolean all, Terminal io) throws BlockFault {
    List<Seen> exports = new ArrayList<>();
    if (all) {
      ClientHandshake handshake = connector.handshake();
      List<ClientHandshake.Listed> listed;
      try (Transport _ = handshake.transport()) {
        listed = handshake.list();
        handshake.abort();
      }
      for (var one : listed) {
        exports.add(see(one.name()));
      }
    } else {
      exports.add(see(uri.export()));
    }
    if (exports.isEmpty()) {
      throw new UsageFault("server has no exports");
    }
    print(exports, io);
  }

  private Seen see(String name) throws BlockFault {
    var one =
        new Connector(
            connector.place(), name, connector.contexts(), connector.best(), connector.tls());
    ClientHandshake handshake = one.handshake();
    handshake.agreeOnStyle(ReplyStyle.EXTENDED);
    List<String> contexts = handshake.listContexts(name, List.of());
    ServerInfo info = handshake.go(name);
    try (var client = new NbdClient(handshake.transport(), info)) {
      return new Seen(info, contexts, looks ? content(client) : null);
    }
  }

  /** What file(1) says of the first bytes; null where there is no such program. */
  private static @Nullable String content(NbdClient client) throws BlockFault {
    int bytes = (int) Math.min(CONTENT_BYTES, client.server().size());
    bytes &= -client.server().sizes().minimum();
    if (bytes == 0) {
      return null;
    }
    try (var arena = Arena.ofShared()) {
      MemorySegment first = arena.allocate(bytes, 8);
      client.call(new Exchange().read(first, 0, 0));
      Process file = new ProcessBuilder("file", "-b", "-").redirectErrorStream(true).start();
      try (OutputStream in = file.getOutputStream()) {
        in.write(first.toArray(ValueLayout.JAVA_BYTE));
      }
      String said = new String(file.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return said.strip();
    } catch (IOException e) {
      return null;
    }
  }

  private void print(List<Seen> exports, Terminal io) {
    ServerInfo first = exports.getFirst().info();
    boolean structured = first.style() != ReplyStyle.SIMPLE;
    if (!json) {
      String packets =
          switch (first.style()) {
            case SIMPLE -> "simple";
            case STRUCTURED -> "structured";
            case EXTENDED -> "extended";
          };
      io.line(
          "protocol: %s %s TLS, using %s packets"
              .formatted(first.protocol(), first.tls() ? "with" : "without", packets));
      exports.forEach(export -> human(export, io));
      return;
    }
    io.line("{");
    io.line("\"protocol\": \"" + first.protocol() + "\",");
    io.line("\"TLS\": " + first.tls() + ",");
    io.line("\"structured\": " + structured + ",");
    if (first.style() == ReplyStyle.EXTENDED) {
      io.line("\"extended\": true,");
    }
    io.line("\"exports\": [");
    for (int i = 0; i < exports.size(); i++) {
      json(exports.get(i), io);
      io.line(i == exports.size() - 1 ? "\t} ]" : "\t},");
    }
    io.line("}");
  }

  private void human(Seen seen, Terminal io) {
    ServerInfo info = seen.info();
    String name = "export=\"" + escaped(info.name()) + "\":";
    io.line(color ? "\033[1;34m" + name + "\033[0m" : name);
    if (!info.description().isEmpty()) {
      io.line("\tdescription: " + escaped(info.description()));
    }
    String human = humanSize(info.size());
    io.line("\texport-size: " + info.size() + (human.isEmpty() ? "" : " (" + human + ")"));
    if (seen.content() != null) {
      io.line("\tcontent: " + escaped(seen.content()));
    }
    if (lasting) {
      io.line("\turi: " + uri.withExport(info.name()));
    }
    if (!seen.contexts().isEmpty()) {
      io.line("\tcontexts:");
      seen.contexts().forEach(context -> io.line("\t\t" + escaped(context)));
    }
    for (Flag flag : Flag.values()) {
      io.line("\t%s: %s".formatted(flag.words, info.can(flag.bit)));
    }
    if (info.sizesTold()) {
      io.line("\tblock_size_minimum: " + info.sizes().minimum());
      io.line("\tblock_size_preferred: " + info.sizes().preferred());
      io.line("\tblock_size_maximum: " + info.sizes().maximum());
    }
  }

  private void json(Seen seen, Terminal io) {
    ServerInfo info = seen.info();
    io.line("\t{");
    io.line("\t\"export-name\": \"" + escaped(info.name()) + "\",");
    if (!info.description().isEmpty()) {
      io.line("\t\"description\": \"" + escaped(info.description()) + "\",");
    }
    if (seen.content() != null) {
      io.line("\t\"content\": \"" + escaped(seen.content()) + "\",");
    }
    if (lasting) {
      io.line("\t\"uri\": \"" + escaped(uri.withExport(info.name()).toString()) + "\",");
    }
    if (!seen.contexts().isEmpty()) {
      io.line("\t\"contexts\": [");
      for (int i = 0; i < seen.contexts().size(); i++) {
        String comma = i == seen.contexts().size() - 1 ? "" : ",";
        io.line("\t\t\"" + escaped(seen.contexts().get(i)) + "\"" + comma);
      }
      io.line("\t],");
    }
    for (Flag flag : Flag.values()) {
      io.line("\t\"%s\": %s,".formatted(flag.words, info.can(flag.bit)));
    }
    if (info.sizesTold()) {
      io.line("\t\"block_size_minimum\": " + info.sizes().minimum() + ",");
      io.line("\t\"block_size_preferred\": " + info.sizes().preferred() + ",");
      io.line("\t\"block_size_maximum\": " + info.sizes().maximum() + ",");
    }
    String human = humanSize(info.size());
    io.line("\t\"export-size\": " + info.size() + (human.isEmpty() ? "" : ","));
    if (!human.isEmpty()) {
      io.line("\t\"export-size-str\": \"" + human + "\"");
    }
  }

  /** What nbdinfo calls the transmission flags, in its order. */
  private enum Flag {
    ROTATIONAL("is_rotational", TransmissionFlags.ROTATIONAL),
    READ_ONLY("is_read_only", TransmissionFlags.READ_ONLY),
    CACHE("can_cache", TransmissionFlags.SEND_CACHE),
    DF("can_df", TransmissionFlags.SEND_DF),
    FAST_ZERO("can_fast_zero", TransmissionFlags.SEND_FAST_ZERO),
    FLUSH("can_flush", TransmissionFlags.SEND_FLUSH),
    FUA("can_fua", TransmissionFlags.SEND_FUA),
    MULTI_CONN("can_multi_conn", TransmissionFlags.CAN_MULTI_CONN),
    TRIM("can_trim", TransmissionFlags.SEND_TRIM),
    ZERO("can_zero", TransmissionFlags.SEND_WRITE_ZEROES);

    private final String words;
    private final int bit;

    Flag(String words, int bit) {
      this.words = words;
      this.bit = bit;
    }
  }

  /** A stranger's text, for JSON and for a terminal. */
  private static String escaped(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (Character.isISOControl(c)) {
        out.append("\\u%04x".formatted((int) c));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  /** The size in the largest unit that divides it, or "" when only bytes do. */
  static String humanSize(long bytes) {
    int unit = 0;
    long value = bytes;
    while (value >= 1024 && value % 1024 == 0) {
      value /= 1024;
      unit++;
    }
    return unit == 0 ? "" : value + "KMGTPE".substring(unit - 1, unit);
  }
}
