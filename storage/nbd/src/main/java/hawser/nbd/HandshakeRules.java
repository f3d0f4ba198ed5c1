package hawser.nbd;

import hawser.base.PeerFault;
import hawser.nbd.Handshake.Ended;
import hawser.nbd.Handshake.Haggling;
import hawser.nbd.Handshake.Ready;
import hawser.nbd.Handshake.Step;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a server answers to each option: a function of state and option, without a socket (proto.md,
 * "Newstyle negotiation").
 *
 * @param catalog the exports
 * @param tls whether TLS is wanted
 */
public record HandshakeRules(ExportCatalog catalog, TlsMode tls) {
  private static final int PADDING = 124;

  /** The first bytes a server sends. */
  public static byte[] greeting() {
    return OptionReply.bytes(
        out -> {
          out.writeLong(Magic.NBD);
          out.writeLong(Magic.OPTION);
          out.writeShort(HandshakeFlags.ALL);
        });
  }

  /** The state after the 32 bits of flags with which a client answers the greeting. */
  public static Handshake begin(int clientFlags) {
    if ((clientFlags & ~HandshakeFlags.ALL) != 0) {
      throw new PeerFault("client flags are %#x, known are 0x3".formatted(clientFlags));
    }
    return Haggling.begin(
        (clientFlags & HandshakeFlags.FIXED_NEWSTYLE) != 0,
        (clientFlags & HandshakeFlags.NO_ZEROES) != 0);
  }

  /** One option. */
  public Step step(Haggling now, Option option) {
    if (!now.fixed() && option.code() != OptionCode.EXPORT_NAME) {
      return ended("option %s from a client without fixed newstyle", option);
    }
    if (tls == TlsMode.FORCED && !now.tls()) {
      return beforeTls(now, option);
    }
    return switch (option) {
      case Option.ExportName(String name) -> exportName(now, name);
      case Option.Abort() -> new Step(new Ended("client aborted"), List.of(ack(option)));
      case Option.ListExports() -> list(now, option);
      case Option.StartTls() -> startTls(now, option);
      case Option.InfoOrGo info -> info(now, info);
      case Option.StructuredReply() -> structured(now, option);
      case Option.ExtendedHeaders() -> extended(now, option);
      case Option.MetaContexts contexts -> contexts(now, contexts);
      case Option.Unknown(int code) ->
          refuse(
              now,
              option,
              OptionCode.ERR_UNSUP,
              "Unsupported option %s".formatted(Integer.toUnsignedString(code)));
      case Option.Malformed(int code, String why) -> malformed(now, option, code, why);
      case Option.TooBig(_, long bytes) ->
          refuse(
              now,
              option,
              OptionCode.ERR_TOO_BIG,
              "option data of %d bytes, at most %d are taken"
                  .formatted(bytes, NbdLimits.OPTION_BYTES_MAX));
    };
  }

  private static Step beforeTls(Haggling now, Option option) {
    return switch (option) {
      case Option.StartTls() ->
          new Step(new Handshake.Encrypting(now.encrypted()), List.of(ack(option)));
      case Option.Abort() -> new Step(new Ended("client aborted"), List.of(ack(option)));
      case Option.ExportName _ -> ended("%s before TLS", option);
      default ->
          refuse(
              now,
              option,
              OptionCode.ERR_TLS_REQD,
              "Option 0x%x not permitted before TLS".formatted(option.code()));
    };
  }

  private Step malformed(Haggling now, Option option, int code, String why) {
    if (code == OptionCode.EXPORT_NAME) {
      return new Step(new Ended("EXPORT_NAME: " + why), List.of());
    }
    // An option with bad data contexts still empties the set (proto.md, "SET_META_CONTEXT").
    Haggling next = code == OptionCode.SET_META_CONTEXT ? now.with("", List.of()) : now;
    return refuse(next, option, OptionCode.ERR_INVALID, why);
  }

  private Optional<ExportInfo> find(Haggling now, String name) {
    return catalog.find(name).filter(export -> now.tls() || !export.tlsOnly());
  }

  private Step exportName(Haggling now, String name) {
    if (now.style() == ReplyStyle.EXTENDED) {
      return new Step(new Ended("EXPORT_NAME after extended headers"), List.of());
    }
    Optional<ExportInfo> found = find(now, name);
    if (found.isEmpty()) {
      return new Step(new Ended("export '" + name + "' not present"), List.of());
    }
    ExportInfo export = found.get();
    if (export.sizes().minimum() > 1) {
      return new Step(
          new Ended("export '" + name + "' needs a client that knows block sizes"), List.of());
    }
    Ready ready = ready(now, export, false);
    int flags = export.flags(now.style(), !ready.contexts().isEmpty());
    ByteBuffer answer = ByteBuffer.allocate(10 + (now.noZeroes() ? 0 : PADDING));
    answer.putLong(export.size()).putShort((short) flags);
    return new Step(ready, List.of(answer.array()));
  }

  private Ready ready(Haggling now, ExportInfo export, boolean aligned) {
    boolean same = now.contextsOf().equals(export.name());
    return new Ready(export, now.style(), same ? now.contexts() : List.of(), aligned);
  }

  private Step list(Haggling now, Option option) {
    var answers = new ArrayList<byte[]>();
    for (ExportInfo export : catalog.list()) {
      if (now.tls() || !export.tlsOnly()) {
        answers.add(OptionReply.server(option.code(), export).encode());
      }
    }
    answers.add(ack(option));
    return new Step(now, answers);
  }

  private Step startTls(Haggling now, Option option) {
    if (now.tls()) {
      return refuse(now, option, OptionCode.ERR_INVALID, "TLS already enabled");
    }
    if (tls == TlsMode.NONE) {
      return refuse(now, option, OptionCode.ERR_POLICY, "TLS not configured");
    }
    return new Step(new Handshake.Encrypting(now.encrypted()), List.of(ack(option)));
  }

  private Step info(Haggling now, Option.InfoOrGo option) {
    Optional<ExportInfo> found = catalog.find(option.name());
    if (found.isEmpty()) {
      return unknown(now, option, option.name());
    }
    ExportInfo export = found.get();
    if (export.tlsOnly() && !now.tls()) {
      return refuse(
          now,
          option,
          OptionCode.ERR_TLS_REQD,
          "export '" + option.name() + "' is not permitted before TLS");
    }
    boolean aligned = option.wants(OptionCode.INFO_BLOCK_SIZE);
    if (!aligned && export.sizes().minimum() > 1) {
      return refuse(
          now,
          option,
          OptionCode.ERR_BLOCK_SIZE_REQD,
          "request NBD_INFO_BLOCK_SIZE to use this export");
    }
    Ready ready = ready(now, export, aligned);
    List<byte[]> answers = new ArrayList<>();
    for (OptionReply reply : informations(option, export, ready)) {
      answers.add(reply.encode());
    }
    return new Step(option.go() ? ready : now, answers);
  }

  private static List<OptionReply> informations(
      Option.InfoOrGo option, ExportInfo export, Ready ready) {
    int code = option.code();
    var replies = new ArrayList<OptionReply>();
    if (option.wants(OptionCode.INFO_NAME)) {
      replies.add(OptionReply.text(code, OptionCode.INFO_NAME, export.name()));
    }
    if (option.wants(OptionCode.INFO_DESCRIPTION) && !export.description().isEmpty()) {
      replies.add(OptionReply.text(code, OptionCode.INFO_DESCRIPTION, export.description()));
    }
    replies.add(OptionReply.sizes(code, export.sizes()));
    // INFO tells what could be had: contexts may still be chosen before GO.
    int flags = export.flags(ready.style(), !option.go() || !ready.contexts().isEmpty());
    replies.add(OptionReply.export(code, export.size(), flags));
    replies.add(OptionReply.ack(code));
    return replies;
  }

  private static Step structured(Haggling now, Option option) {
    return switch (now.style()) {
      case SIMPLE -> new Step(now.with(ReplyStyle.STRUCTURED), List.of(ack(option)));
      case STRUCTURED ->
          refuse(now, option, OptionCode.ERR_INVALID, "structured reply already negotiated");
      case EXTENDED ->
          refuse(
              now, option, OptionCode.ERR_EXT_HEADER_REQD, "extended headers already negotiated");
    };
  }

  private static Step extended(Haggling now, Option option) {
    if (now.style() == ReplyStyle.EXTENDED) {
      return refuse(now, option, OptionCode.ERR_INVALID, "extended headers already negotiated");
    }
    return new Step(now.with(ReplyStyle.EXTENDED), List.of(ack(option)));
  }

  private Step contexts(Haggling now, Option.MetaContexts option) {
    Haggling cleared = option.set() ? now.with("", List.of()) : now;
    if (now.style() == ReplyStyle.SIMPLE) {
      return refuse(
          cleared,
          option,
          OptionCode.ERR_INVALID,
          "request option '%s' when structured reply is not negotiated"
              .formatted(OptionCode.name(option.code())));
    }
    Optional<ExportInfo> found = find(now, option.export());
    if (found.isEmpty()) {
      return unknown(cleared, option, option.export());
    }
    List<MetaContext> matched =
        ContextQueries.match(found.get().contexts(), option.queries(), !option.set());
    var answers = new ArrayList<byte[]>();
    for (MetaContext context : matched) {
      int id = option.set() ? context.id() : 0;
      answers.add(OptionReply.context(option.code(), id, context.name()).encode());
    }
    answers.add(ack(option));
    return new Step(option.set() ? now.with(option.export(), matched) : now, answers);
  }

  private static Step unknown(Haggling next, Option option, String name) {
    return refuse(next, option, OptionCode.ERR_UNKNOWN, "export '" + name + "' not present");
  }

  private static Step refuse(Haggling next, Option option, int type, String why) {
    return new Step(next, List.of(OptionReply.error(option.code(), type, why).encode()));
  }

  private static Step ended(String why, Option option) {
    return new Step(new Ended(why.formatted(OptionCode.name(option.code()))), List.of());
  }

  private static byte[] ack(Option option) {
    return OptionReply.ack(option.code()).encode();
  }
}
