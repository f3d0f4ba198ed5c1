package hawser.fuzz;

import hawser.base.PeerFault;
import hawser.nbd.BlockSizes;
import hawser.nbd.ExportCatalog;
import hawser.nbd.ExportInfo;
import hawser.nbd.Handshake;
import hawser.nbd.HandshakeRules;
import hawser.nbd.NbdLimits;
import hawser.nbd.Option;
import hawser.nbd.TlsMode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * A server's side of the NBD handshake. The input: a byte that chooses the TLS mode, the client's
 * 32 bits of flags, then options: a byte of code, two of length, data.
 */
public final class ServerHandshakeTarget {
  /** Answers to one option that are still in proportion, bytes. */
  private static final long ANSWER_BYTES_MAX = 1 << 20;

  private static final ExportInfo DISK =
      new ExportInfo(
          "disk", "a disk", 1L << 30, 1, new BlockSizes(1, 4096, 32 << 20), List.of(), false);
  private static final ExportInfo SECRET =
      new ExportInfo("secret", "", 512, 3, new BlockSizes(512, 4096, 32 << 20), List.of(), true);

  private ServerHandshakeTarget() {}

  private record Catalog(List<ExportInfo> list) implements ExportCatalog {
    @Override
    public Optional<ExportInfo> find(String name) {
      return list.stream().filter(export -> export.name().equals(name)).findFirst();
    }
  }

  /** Tries one conversation. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length < 5) {
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(input);
    TlsMode[] modes = TlsMode.values();
    TlsMode mode = modes[(in.get() & 0xff) % modes.length];
    var rules = new HandshakeRules(new Catalog(List.of(DISK, SECRET)), mode);
    Handshake now;
    try {
      now = HandshakeRules.begin(in.getInt());
    } catch (PeerFault e) {
      // Flags that nobody knows.
      return;
    }
    while (in.remaining() >= 3) {
      switch (now) {
        case Handshake.Haggling haggling -> now = answered(rules.step(haggling, option(in)));
        case Handshake.Encrypting(Handshake.Haggling after) -> now = after;
        case Handshake.Ready ready -> {
          requireAllowed(ready, mode);
          return;
        }
        case Handshake.Ended(String why) -> {
          if (why.isBlank()) {
            throw new AssertionError("a handshake ended without a reason");
          }
          return;
        }
      }
    }
  }

  private static Option option(ByteBuffer in) {
    int code = in.get();
    int length = Math.min(Short.toUnsignedInt(in.getShort()), in.remaining());
    byte[] data = new byte[Math.min(length, NbdLimits.OPTION_BYTES_MAX)];
    in.get(data);
    return Option.parse(code, data);
  }

  private static Handshake answered(Handshake.Step step) {
    long bytes = 0;
    for (byte[] answer : step.answers()) {
      bytes += answer.length;
    }
    if (bytes > ANSWER_BYTES_MAX) {
      throw new AssertionError(bytes + " bytes of answers to one option");
    }
    return step.next();
  }

  /** What must never be served in the clear is not. */
  private static void requireAllowed(Handshake.Ready ready, TlsMode mode) {
    if (mode == TlsMode.NONE && ready.export().tlsOnly()) {
      throw new AssertionError("an export that wants TLS is served without");
    }
  }
}
