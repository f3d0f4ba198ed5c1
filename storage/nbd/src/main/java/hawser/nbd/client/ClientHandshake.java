package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.nbd.BlockSizes;
import hawser.nbd.HandshakeFlags;
import hawser.nbd.Magic;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdLimits;
import hawser.nbd.OptionCode;
import hawser.nbd.OptionReply;
import hawser.nbd.ReplyStyle;
import hawser.nbd.tls.TlsSide;
import hawser.nbd.transport.Transport;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client's side of the handshake, step by step: {@link #greet}, perhaps {@link #startTls}, {@link
 * #agreeOnStyle}, questions, and {@link #go} at the end. Used by one thread.
 */
public final class ClientHandshake {
  private static final int EXPORT_PADDING = 124;
  private static final List<Integer> ALL_INFOS =
      List.of(OptionCode.INFO_NAME, OptionCode.INFO_DESCRIPTION, OptionCode.INFO_BLOCK_SIZE);

  /** An export in a list. */
  public record Listed(String name, String description) {}

  /** One step of a reply to an option that has several. */
  private interface Each {
    void accept(OptionReply reply);
  }

  private HandshakeStream stream;
  private String protocol = "";
  private boolean tls;
  private boolean noZeroes;
  private ReplyStyle style = ReplyStyle.SIMPLE;
  private @Nullable ServerInfo oldstyle;
  private List<MetaContext> chosen = List.of();
  private String chosenFor = "";

  /** A handshake over a connected stream. */
  public ClientHandshake(Transport transport) {
    this.stream = new HandshakeStream(transport);
  }

  /** The stream, which TLS may have replaced. */
  public Transport transport() {
    return stream.transport();
  }

  /** Reads the greeting and answers it. */
  public ClientHandshake greet() {
    long magic = stream.read(8).getLong();
    if (magic != Magic.NBD) {
      throw new PeerFault("Bad initial magic received: 0x%016x".formatted(magic));
    }
    long kind = stream.read(8).getLong();
    if (kind == Magic.OLDSTYLE) {
      readOldstyle();
    } else if (kind == Magic.OPTION) {
      int flags = Short.toUnsignedInt(stream.read(2).getShort());
      boolean fixed = (flags & HandshakeFlags.FIXED_NEWSTYLE) != 0;
      noZeroes = (flags & HandshakeFlags.NO_ZEROES) != 0;
      protocol = fixed ? "newstyle-fixed" : "newstyle";
      stream.writeInt(flags & HandshakeFlags.ALL);
    } else {
      throw new PeerFault("Bad server magic received: 0x%016x".formatted(kind));
    }
    return this;
  }

  private void readOldstyle() {
    protocol = "oldstyle";
    ByteBuffer in = stream.read(12 + EXPORT_PADDING);
    long size = in.getLong();
    int flags = in.getInt();
    if ((flags & 0xffff0000) != 0) {
      throw new PeerFault("Unexpected export flags %#x".formatted(flags));
    }
    oldstyle = bare(size, flags, "");
  }

  private ServerInfo bare(long size, int flags, String name) {
    if (size < 0) {
      throw new PeerFault("export size " + Long.toUnsignedString(size) + " is past 2^63");
    }
    return new ServerInfo(
        protocol, tls, style, name, "", size, flags, BlockSizes.DEFAULT, false, List.of());
  }

  /** Whether options can be asked; false with servers of the first two kinds. */
  public boolean hasOptions() {
    return protocol.equals("newstyle-fixed");
  }

  /** The kind of server, as {@link ServerInfo#protocol}. */
  public String protocol() {
    return protocol;
  }

  /** Whether the connection is encrypted. */
  public boolean encrypted() {
    return tls;
  }

  /** What was agreed on so far. */
  public ReplyStyle style() {
    return style;
  }

  /**
   * Switches to TLS.
   *
   * @throws BlockFault when the server does not want to; nothing may be sent in the clear then
   */
  public void startTls(TlsSide credentials) throws BlockFault {
    if (!hasOptions()) {
      throw new BlockFault(Errno.EINVAL, "Server does not support STARTTLS");
    }
    OptionReply reply = stream.ask(OptionCode.STARTTLS, new byte[0]);
    if (reply.isError()) {
      throw refused(reply);
    }
    expectAck(reply);
    stream = new HandshakeStream(credentials.client(stream.transport()));
    tls = true;
    style = ReplyStyle.SIMPLE;
    chosen = List.of();
  }

  /** Agrees on the best style up to {@code best} that the server knows. */
  public ReplyStyle agreeOnStyle(ReplyStyle best) throws BlockFault {
    if (!hasOptions()) {
      return style;
    }
    if (best == ReplyStyle.EXTENDED && accepted(OptionCode.EXTENDED_HEADERS)) {
      style = ReplyStyle.EXTENDED;
    } else if (best != ReplyStyle.SIMPLE && accepted(OptionCode.STRUCTURED_REPLY)) {
      style = ReplyStyle.STRUCTURED;
    }
    return style;
  }

  private boolean accepted(int option) throws BlockFault {
    OptionReply reply = stream.ask(option, new byte[0]);
    if (reply.isError()) {
      // Also when TLS is needed first: the choice of the export will say so.
      return false;
    }
    expectAck(reply);
    return true;
  }

  /** Chooses metadata contexts; answers those that the server has. Empty with simple replies. */
  public List<MetaContext> chooseContexts(String export, List<String> names) throws BlockFault {
    if (style == ReplyStyle.SIMPLE || names.isEmpty()) {
      return List.of();
    }
    chosen = contexts(OptionCode.SET_META_CONTEXT, export, names);
    chosenFor = export;
    return chosen;
  }

  /** The names of the contexts that an export has; queries narrow it down, none means all. */
  public List<String> listContexts(String export, List<String> queries) throws BlockFault {
    if (style == ReplyStyle.SIMPLE) {
      return List.of();
    }
    return contexts(OptionCode.LIST_META_CONTEXT, export, queries).stream()
        .map(MetaContext::name)
        .toList();
  }

  private List<MetaContext> contexts(int option, String export, List<String> names)
      throws BlockFault {
    var found = new ArrayList<MetaContext>();
    OptionReply last =
        askAll(
            option,
            HandshakeStream.contextQuery(export, names),
            OptionCode.REP_META_CONTEXT,
            reply -> {
              ByteBuffer in = ByteBuffer.wrap(reply.data());
              if (in.remaining() < 5
                  || in.remaining() > 4 + NbdLimits.STRING_BYTES_MAX
                  || found.size() == NbdLimits.CONTEXTS_MAX) {
                throw new PeerFault("Failed to negotiate meta context, bad length or count");
              }
              int id = in.getInt();
              found.add(new MetaContext(id, StandardCharsets.UTF_8.decode(in).toString()));
            });
    if (last.isError() && last.type() != OptionCode.ERR_UNSUP) {
      throw refused(last);
    }
    return List.copyOf(found);
  }

  /** Every export the server lists. */
  public List<Listed> list() throws BlockFault {
    if (!hasOptions()) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Server does not support export lists");
    }
    var found = new ArrayList<Listed>();
    OptionReply last =
        askAll(
            OptionCode.LIST,
            new byte[0],
            OptionCode.REP_SERVER,
            reply -> {
              if (found.size() == NbdLimits.LISTED_EXPORTS_MAX) {
                throw new PeerFault("server lists more than 10000 exports");
              }
              found.add(listed(ByteBuffer.wrap(reply.data())));
            });
    if (last.isError()) {
      throw refused(last);
    }
    return List.copyOf(found);
  }

  private static Listed listed(ByteBuffer in) {
    if (in.remaining() < 4) {
      throw new PeerFault("incorrect option length " + in.remaining());
    }
    int length = in.getInt();
    if (length < 0 || length > in.remaining() || length > NbdLimits.STRING_BYTES_MAX) {
      throw new PeerFault("incorrect name length in server's list response");
    }
    ByteBuffer name = in.slice(in.position(), length);
    in.position(in.position() + length);
    if (in.remaining() > NbdLimits.STRING_BYTES_MAX) {
      throw new PeerFault("incorrect description length in server's list response");
    }
    return new Listed(
        StandardCharsets.UTF_8.decode(name).toString(),
        StandardCharsets.UTF_8.decode(in).toString());
  }

  /**
   * Chooses an export and ends the handshake.
   *
   * @throws BlockFault in QEMU's words, the server's own beneath them
   */
  public ServerInfo go(String export) throws BlockFault {
    ServerInfo old = oldstyle;
    if (old != null) {
      if (!export.isEmpty()) {
        throw new BlockFault(Errno.EINVAL, "Server does not support non-empty export names");
      }
      return old;
    }
    if (hasOptions()) {
      ServerInfo found = infoOrGo(OptionCode.GO, export);
      if (found != null) {
        return found.with(chosenFor.equals(export) ? chosen : List.of());
      }
    }
    return exportName(export);
  }

  /** What the server says of an export, without choosing it; null when it cannot tell. */
  public @Nullable ServerInfo info(String export) throws BlockFault {
    return hasOptions() ? infoOrGo(OptionCode.INFO, export) : null;
  }

  private @Nullable ServerInfo infoOrGo(int option, String export) throws BlockFault {
    var infos = new InfoReader();
    OptionReply last =
        askAll(
            option,
            HandshakeStream.infoQuery(export, ALL_INFOS),
            OptionCode.REP_INFO,
            reply -> infos.add(reply.data()));
    if (last.type() == OptionCode.ERR_UNSUP) {
      return null;
    }
    if (last.isError()) {
      throw refused(last);
    }
    return infos.finish(protocol, tls, style, export);
  }

  private ServerInfo exportName(String export) {
    stream.send(OptionCode.EXPORT_NAME, export.getBytes(StandardCharsets.UTF_8));
    ByteBuffer in = stream.read(10);
    long size = in.getLong();
    int flags = Short.toUnsignedInt(in.getShort());
    if (!noZeroes) {
      stream.read(EXPORT_PADDING);
    }
    return bare(size, flags, export).with(chosenFor.equals(export) ? chosen : List.of());
  }

  /** Says goodbye before a choice was made. */
  public void abort() {
    if (hasOptions()) {
      try {
        stream.send(OptionCode.ABORT, new byte[0]);
      } catch (PeerFault e) {
        // It is gone already, and what it was asked for is here.
        return;
      }
    }
  }

  /** Asks an option whose answers end with ACK or an error, which is returned. */
  private OptionReply askAll(int option, byte[] data, int kind, Each each) {
    stream.send(option, data);
    for (int count = 0; count <= NbdLimits.LISTED_EXPORTS_MAX + 1; count++) {
      OptionReply reply = stream.reply(option);
      if (reply.isError()) {
        return reply;
      }
      if (reply.type() == OptionCode.REP_ACK) {
        expectAck(reply);
        return reply;
      }
      if (reply.type() != kind) {
        throw new PeerFault("Unexpected reply type %d, expected %d".formatted(reply.type(), kind));
      }
      each.accept(reply);
    }
    throw new PeerFault("server does not stop answering option " + OptionCode.name(option));
  }

  private static void expectAck(OptionReply reply) {
    if (reply.type() != OptionCode.REP_ACK) {
      throw new PeerFault(
          "Unexpected reply type %d, expected %d".formatted(reply.type(), OptionCode.REP_ACK));
    }
    if (reply.data().length != 0) {
      throw new PeerFault("Unexpected length to ACK response");
    }
  }

  private static BlockFault refused(OptionReply reply) {
    String option = "option %d (%s)".formatted(reply.option(), OptionCode.name(reply.option()));
    String words =
        switch (reply.type()) {
          case OptionCode.ERR_UNSUP -> "Server lacks support for " + option;
          case OptionCode.ERR_POLICY -> "Denied by server for " + option;
          case OptionCode.ERR_INVALID -> "Invalid parameters for " + option;
          case OptionCode.ERR_TLS_REQD -> "TLS negotiation required before " + option;
          case OptionCode.ERR_UNKNOWN -> "Requested export not available";
          case OptionCode.ERR_SHUTDOWN -> "Server shutting down before " + option;
          case OptionCode.ERR_BLOCK_SIZE_REQD -> "Server requires INFO_BLOCK_SIZE for " + option;
          default -> "Unknown error code when asking for " + option;
        };
    if (reply.type() == OptionCode.ERR_TLS_REQD) {
      words += "\nDid you forget a valid tls-creds?";
    }
    String theirs = new String(reply.data(), StandardCharsets.UTF_8);
    return new BlockFault(
        Errno.EINVAL, theirs.isEmpty() ? words : words + "\nserver reported: " + printable(theirs));
  }

  /** A stranger's words go to a terminal, so control characters do not. */
  private static String printable(String theirs) {
    return theirs.replaceAll("\\p{Cntrl}", "?");
  }
}
