package hawser.nbd;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One reply to an option.
 *
 * @param option the number of the option it answers
 * @param type {@code REP_} or {@code ERR_} of {@link OptionCode}
 * @param data what follows the header
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared; made once, sent once.
public record OptionReply(int option, int type, byte[] data) {
  /** Bytes of the header on the wire: magic, option, type, length. */
  public static final int HEADER_BYTES = 20;

  /** A reply without data. */
  public static OptionReply ack(int option) {
    return new OptionReply(option, OptionCode.REP_ACK, new byte[0]);
  }

  /** A refusal with words for people, cut to what the protocol allows. */
  public static OptionReply error(int option, int type, String why) {
    byte[] text = why.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(text.length, NbdLimits.STRING_BYTES_MAX);
    return new OptionReply(option, type, Arrays.copyOf(text, length));
  }

  /** An export's name and description. */
  static OptionReply server(int option, ExportInfo export) {
    byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
    return of(
        option,
        OptionCode.REP_SERVER,
        out -> {
          out.writeInt(name.length);
          out.write(name);
          out.write(export.description().getBytes(StandardCharsets.UTF_8));
        });
  }

  /** Size and flags. */
  static OptionReply export(int option, long size, int flags) {
    return of(
        option,
        OptionCode.REP_INFO,
        out -> {
          out.writeShort(OptionCode.INFO_EXPORT);
          out.writeLong(size);
          out.writeShort(flags);
        });
  }

  /** An information that is text. */
  static OptionReply text(int option, int info, String text) {
    return of(
        option,
        OptionCode.REP_INFO,
        out -> {
          out.writeShort(info);
          out.write(text.getBytes(StandardCharsets.UTF_8));
        });
  }

  /** Block sizes. */
  static OptionReply sizes(int option, BlockSizes sizes) {
    return of(
        option,
        OptionCode.REP_INFO,
        out -> {
          out.writeShort(OptionCode.INFO_BLOCK_SIZE);
          out.writeInt(sizes.minimum());
          out.writeInt(sizes.preferred());
          out.writeInt(sizes.maximum());
        });
  }

  /** A metadata context. */
  static OptionReply context(int option, int id, String name) {
    return of(
        option,
        OptionCode.REP_META_CONTEXT,
        out -> {
          out.writeInt(id);
          out.write(name.getBytes(StandardCharsets.UTF_8));
        });
  }

  /** Whether it refuses. */
  public boolean isError() {
    return type < 0;
  }

  /** The bytes on the wire. */
  public byte[] encode() {
    return bytes(
        out -> {
          out.writeLong(Magic.OPTION_REPLY);
          out.writeInt(option);
          out.writeInt(type);
          out.writeInt(data.length);
          out.write(data);
        });
  }

  private static OptionReply of(int option, int type, Fields fields) {
    return new OptionReply(option, type, bytes(fields));
  }

  /** Collects fields into bytes, big endian. */
  static byte[] bytes(Fields fields) {
    var bytes = new ByteArrayOutputStream();
    try {
      fields.writeTo(new DataOutputStream(bytes));
    } catch (IOException e) {
      // A byte array takes everything.
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Writes fields one after the other. */
  @FunctionalInterface
  interface Fields {
    void writeTo(DataOutputStream out) throws IOException;
  }
}
