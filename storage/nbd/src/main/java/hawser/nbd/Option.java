package hawser.nbd;

import hawser.base.PeerFault;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** One option as a client sent it, taken apart but not judged against any state. */
public sealed interface Option {
  /** The number on the wire. */
  int code();

  /** Choose an export, without a reply that could refuse. */
  record ExportName(String name) implements Option {
    @Override
    public int code() {
      return OptionCode.EXPORT_NAME;
    }
  }

  /** The client goes. */
  record Abort() implements Option {
    @Override
    public int code() {
      return OptionCode.ABORT;
    }
  }

  /** Name all exports. */
  record ListExports() implements Option {
    @Override
    public int code() {
      return OptionCode.LIST;
    }
  }

  /** Switch to TLS. */
  record StartTls() implements Option {
    @Override
    public int code() {
      return OptionCode.STARTTLS;
    }
  }

  /** Tell of an export, or choose it when {@code go}. */
  record InfoOrGo(boolean go, String name, List<Integer> infos) implements Option {
    @Override
    public int code() {
      return go ? OptionCode.GO : OptionCode.INFO;
    }

    boolean wants(int info) {
      return infos.contains(info);
    }
  }

  /** Agree on structured replies. */
  record StructuredReply() implements Option {
    @Override
    public int code() {
      return OptionCode.STRUCTURED_REPLY;
    }
  }

  /** List metadata contexts, or choose them when {@code set}. */
  record MetaContexts(boolean set, String export, List<String> queries) implements Option {
    @Override
    public int code() {
      return set ? OptionCode.SET_META_CONTEXT : OptionCode.LIST_META_CONTEXT;
    }
  }

  /** Agree on extended headers. */
  record ExtendedHeaders() implements Option {
    @Override
    public int code() {
      return OptionCode.EXTENDED_HEADERS;
    }
  }

  /** A number that this protocol does not have. */
  record Unknown(int code) implements Option {}

  /** A known number with data that makes no sense. */
  record Malformed(int code, String why) implements Option {}

  /** A known number with more data than is kept. */
  record TooBig(int code, long bytes) implements Option {}

  /** Takes the data of an option apart. Never throws; what makes no sense is a value too. */
  static Option parse(int code, byte[] data) {
    try {
      return switch (code) {
        case OptionCode.EXPORT_NAME -> new ExportName(text(ByteBuffer.wrap(data), data.length));
        // proto.md lets a client send data with ABORT that a server ignores.
        case OptionCode.ABORT -> new Abort();
        case OptionCode.LIST -> empty(data, new ListExports());
        case OptionCode.STARTTLS -> empty(data, new StartTls());
        case OptionCode.INFO -> info(false, ByteBuffer.wrap(data));
        case OptionCode.GO -> info(true, ByteBuffer.wrap(data));
        case OptionCode.STRUCTURED_REPLY -> empty(data, new StructuredReply());
        case OptionCode.LIST_META_CONTEXT -> contexts(false, ByteBuffer.wrap(data));
        case OptionCode.SET_META_CONTEXT -> contexts(true, ByteBuffer.wrap(data));
        case OptionCode.EXTENDED_HEADERS -> empty(data, new ExtendedHeaders());
        default -> new Unknown(code);
      };
    } catch (PeerFault bad) {
      return new Malformed(code, String.valueOf(bad.getMessage()));
    }
  }

  private static Option empty(byte[] data, Option option) {
    if (data.length != 0) {
      throw new PeerFault(
          "option '" + OptionCode.name(option.code()) + "' has unexpected length " + data.length);
    }
    return option;
  }

  private static Option info(boolean go, ByteBuffer in) {
    String name = name(in);
    need(in, 2);
    int count = Short.toUnsignedInt(in.getShort());
    if (in.remaining() != count * 2) {
      throw new PeerFault(
          "%d information requests announced, but %d bytes follow"
              .formatted(count, in.remaining()));
    }
    var infos = new ArrayList<Integer>();
    while (in.hasRemaining()) {
      infos.add(Short.toUnsignedInt(in.getShort()));
    }
    return new InfoOrGo(go, name, List.copyOf(infos));
  }

  private static Option contexts(boolean set, ByteBuffer in) {
    String export = name(in);
    need(in, 4);
    int count = in.getInt();
    var queries = new ArrayList<String>();
    for (int i = 0; Integer.compareUnsigned(i, count) < 0; i++) {
      need(in, 4);
      int length = in.getInt();
      need(in, length);
      // A query longer than any name can match nothing, so its text is not wanted.
      if (length <= NbdLimits.STRING_BYTES_MAX) {
        queries.add(text(in, length));
      } else {
        queries.add("\0");
        in.position(in.position() + length);
      }
    }
    if (in.hasRemaining()) {
      throw new PeerFault(in.remaining() + " bytes follow the last query");
    }
    return new MetaContexts(set, export, List.copyOf(queries));
  }

  private static String name(ByteBuffer in) {
    need(in, 4);
    int length = in.getInt();
    if (length < 0 || length > NbdLimits.STRING_BYTES_MAX) {
      throw new PeerFault("Invalid name length: " + Integer.toUnsignedString(length));
    }
    need(in, length);
    return text(in, length);
  }

  private static void need(ByteBuffer in, int bytes) {
    if (bytes < 0 || in.remaining() < bytes) {
      throw new PeerFault(
          "%s more bytes are needed where %d are left"
              .formatted(Integer.toUnsignedString(bytes), in.remaining()));
    }
  }

  private static String text(ByteBuffer in, int length) {
    if (length > NbdLimits.STRING_BYTES_MAX) {
      throw new PeerFault("name of " + length + " bytes is longer than 4096");
    }
    ByteBuffer bytes = in.slice(in.position(), length);
    in.position(in.position() + length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new PeerFault("name is not UTF-8");
    }
  }
}
