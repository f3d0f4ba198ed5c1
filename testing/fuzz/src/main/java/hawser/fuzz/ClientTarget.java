package hawser.fuzz;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.nbd.BlockSizes;
import hawser.nbd.Command;
import hawser.nbd.MetaContext;
import hawser.nbd.ReplyStyle;
import hawser.nbd.TransmissionFlags;
import hawser.nbd.client.ClientHandshake;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import hawser.nbd.client.ServerInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * A client's side of NBD. The first byte of the input chooses: 0, a whole conversation from the
 * greeting on; 1 to 3, replies to a read, a block status and a flush, in one of the three styles.
 * The rest is what the server says.
 */
public final class ClientTarget {
  private static final long DISK_BYTES = 1 << 20;
  private static final int READ_BYTES = 4096;
  private static final int CHOICES = 4;
  private static final List<ReplyStyle> STYLES =
      List.of(ReplyStyle.SIMPLE, ReplyStyle.STRUCTURED, ReplyStyle.EXTENDED);

  /** What memory around the buffer of a read holds, to see that nothing writes there. */
  private static final byte UNTOUCHED = 0x5a;

  private ClientTarget() {}

  /** Tries one server. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    var transport = new ScriptedTransport(Arrays.copyOfRange(input, 1, input.length));
    int choice = (input[0] & 0xff) % CHOICES;
    try {
      if (choice == 0) {
        talk(transport);
      } else {
        ask(transport, disk(STYLES.get(choice - 1)));
      }
    } catch (PeerFault | BlockFault expected) {
      if (String.valueOf(expected.getMessage()).isBlank()) {
        throw new AssertionError("a fault without words", expected);
      }
    }
  }

  private static ServerInfo disk(ReplyStyle style) {
    return new ServerInfo(
        "newstyle-fixed",
        false,
        style,
        "disk",
        "",
        DISK_BYTES,
        TransmissionFlags.HAS_FLAGS,
        BlockSizes.DEFAULT,
        false,
        List.of(new MetaContext(1, MetaContext.BASE_ALLOCATION)));
  }

  private static void talk(ScriptedTransport transport) throws BlockFault {
    var handshake = new ClientHandshake(transport).greet();
    if (handshake.hasOptions()) {
      handshake.agreeOnStyle(ReplyStyle.EXTENDED);
      handshake.list();
      handshake.chooseContexts("disk", List.of(MetaContext.BASE_ALLOCATION));
    }
    ServerInfo server = handshake.go(handshake.hasOptions() ? "disk" : "");
    if (server.size() < 0) {
      throw new AssertionError("a disk of " + server.size() + " bytes");
    }
    ask(transport, server);
  }

  private static void ask(ScriptedTransport transport, ServerInfo server) throws BlockFault {
    try (var client = new NbdClient(transport, server);
        var arena = Arena.ofConfined()) {
      MemorySegment around = arena.allocate(3L * READ_BYTES, 4096).fill(UNTOUCHED);
      var read = new Exchange().read(around.asSlice(READ_BYTES, READ_BYTES), 0, 0);
      try {
        client.call(read);
      } finally {
        requireUntouched(around.asSlice(0, READ_BYTES));
        requireUntouched(around.asSlice(2L * READ_BYTES, READ_BYTES));
      }
      client.call(new Exchange().status(0, DISK_BYTES, 0, ClientTarget::extent));
      client.call(new Exchange().other(Command.FLUSH, 0, 0, 0));
    }
  }

  private static void extent(int context, long length, long flags) {
    if (length < 1) {
      throw new AssertionError(
          "an extent of %d bytes, flags %x, of context %d".formatted(length, flags, context));
    }
  }

  private static void requireUntouched(MemorySegment memory) {
    for (long at = 0; at < memory.byteSize(); at++) {
      if (memory.get(ValueLayout.JAVA_BYTE, at) != UNTOUCHED) {
        throw new AssertionError("a reply was written outside its buffer");
      }
    }
  }
}
