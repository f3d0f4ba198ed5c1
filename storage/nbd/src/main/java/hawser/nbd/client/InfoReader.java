package hawser.nbd.client;

import hawser.base.PeerFault;
import hawser.nbd.BlockSizes;
import hawser.nbd.NbdLimits;
import hawser.nbd.OptionCode;
import hawser.nbd.ReplyStyle;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects what the information replies to INFO or GO say, and checks it. Apart from any socket.
 */
final class InfoReader {
  private @Nullable String name;
  private String description = "";
  private long size = -1;
  private int flags;
  private @Nullable BlockSizes sizes;

  /** One REP_INFO's data. */
  void add(byte[] data) {
    if (data.length < 2) {
      throw new PeerFault("NBD_REP_INFO length " + data.length + " is too short");
    }
    ByteBuffer in = ByteBuffer.wrap(data);
    int kind = Short.toUnsignedInt(in.getShort());
    switch (kind) {
      case OptionCode.INFO_EXPORT -> {
        need(in, 10);
        size = in.getLong();
        flags = Short.toUnsignedInt(in.getShort());
      }
      case OptionCode.INFO_NAME -> name = text(in);
      case OptionCode.INFO_DESCRIPTION -> description = text(in);
      case OptionCode.INFO_BLOCK_SIZE -> {
        need(in, 12);
        sizes = checked(in.getInt(), in.getInt(), in.getInt());
      }
      default -> {
        // proto.md: a client ignores information that it does not know.
      }
    }
  }

  private static void need(ByteBuffer in, int bytes) {
    if (in.remaining() != bytes) {
      throw new PeerFault(
          "remaining export info len %d is unexpected size, wanted %d"
              .formatted(in.remaining(), bytes));
    }
  }

  private static String text(ByteBuffer in) {
    if (in.remaining() > NbdLimits.STRING_BYTES_MAX) {
      throw new PeerFault("text of " + in.remaining() + " bytes in an information reply");
    }
    return StandardCharsets.UTF_8.decode(in).toString();
  }

  private static BlockSizes checked(int minimum, int preferred, int maximum) {
    if (Integer.bitCount(minimum) != 1 || minimum < 0 || minimum > NbdLimits.MINIMUM_BLOCK_MAX) {
      throw new PeerFault(
          "server minimum block size %s is not a power of two, or is out of range"
              .formatted(Integer.toUnsignedString(minimum)));
    }
    if (Integer.bitCount(preferred) != 1 || preferred < 0 || preferred < minimum) {
      throw new PeerFault(
          "server preferred block size %s is not valid"
              .formatted(Integer.toUnsignedString(preferred)));
    }
    if (Integer.compareUnsigned(maximum, minimum) < 0) {
      throw new PeerFault(
          "server maximum block size %s is not valid".formatted(Integer.toUnsignedString(maximum)));
    }
    int bounded =
        Integer.compareUnsigned(maximum, NbdLimits.PAYLOAD_BYTES_MAX) > 0
            ? NbdLimits.PAYLOAD_BYTES_MAX
            : maximum & -minimum;
    return new BlockSizes(minimum, preferred, bounded);
  }

  /** Everything together, once the server has acknowledged. */
  ServerInfo finish(String protocol, boolean tls, ReplyStyle style, String asked) {
    if (size < 0) {
      throw new PeerFault("broken server omitted NBD_INFO_EXPORT, or its size is past 2^63");
    }
    BlockSizes told = sizes == null ? BlockSizes.DEFAULT : sizes;
    if ((size & (told.minimum() - 1)) != 0) {
      throw new PeerFault(
          "export size %d is not multiple of minimum block size %d"
              .formatted(size, told.minimum()));
    }
    return new ServerInfo(
        protocol,
        tls,
        style,
        name == null ? asked : name,
        description,
        size,
        flags,
        told,
        sizes != null,
        List.of());
  }
}
