package hawser.nbd.client;

import hawser.base.PeerFault;
import hawser.nbd.Magic;
import hawser.nbd.NbdLimits;
import hawser.nbd.OptionCode;
import hawser.nbd.OptionReply;
import hawser.nbd.transport.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Bytes of a handshake, and options and replies made of them. Used by one thread. */
final class HandshakeStream {
  private static final int OPTION_HEADER = 16;

  private final Transport transport;

  HandshakeStream(Transport transport) {
    this.transport = transport;
  }

  Transport transport() {
    return transport;
  }

  /** The next so many bytes. */
  ByteBuffer read(int bytes) {
    return read(bytes, "data");
  }

  private ByteBuffer read(int bytes, String what) {
    var all = new byte[bytes];
    try (var arena = Arena.ofConfined()) {
      MemorySegment piece = arena.allocate(Math.max(1, bytes), 8);
      int done = 0;
      while (done < bytes) {
        long count = transport.receive(piece.asSlice(done, bytes - done));
        if (count == 0) {
          throw new PeerFault(
              "Failed to read " + what + ": Unexpected end-of-file before all data were read");
        }
        done += (int) count;
      }
      MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, all, 0, bytes);
    }
    return ByteBuffer.wrap(all);
  }

  void write(byte[] bytes) {
    try (var arena = Arena.ofConfined()) {
      transport.send(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
    }
  }

  void writeInt(int value) {
    write(ByteBuffer.allocate(4).putInt(value).array());
  }

  /** Sends an option. */
  void send(int option, byte[] data) {
    write(
        ByteBuffer.allocate(OPTION_HEADER + data.length)
            .putLong(Magic.OPTION)
            .putInt(option)
            .putInt(data.length)
            .put(data)
            .array());
  }

  /** Sends an option and reads one reply. */
  OptionReply ask(int option, byte[] data) {
    send(option, data);
    return reply(option);
  }

  /** Reads one reply to that option. */
  OptionReply reply(int option) {
    ByteBuffer header = read(OptionReply.HEADER_BYTES, "option reply");
    long magic = header.getLong();
    if (magic != Magic.OPTION_REPLY) {
      throw new PeerFault("Unexpected option reply magic");
    }
    int answered = header.getInt();
    if (answered != option) {
      throw new PeerFault(
          "Unexpected option type %s (%s), expected %d (%s)"
              .formatted(
                  Integer.toUnsignedString(answered),
                  OptionCode.name(answered),
                  option,
                  OptionCode.name(option)));
    }
    int type = header.getInt();
    int length = header.getInt();
    if (length < 0 || length > NbdLimits.OPTION_BYTES_MAX) {
      throw new PeerFault(
          "option reply of %s bytes is too long".formatted(Integer.toUnsignedString(length)));
    }
    return new OptionReply(answered, type, read(length).array());
  }

  /** The data of INFO or GO. */
  static byte[] infoQuery(String export, List<Integer> infos) {
    byte[] name = export.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(6 + name.length + 2 * infos.size());
    out.putInt(name.length).put(name).putShort((short) infos.size());
    infos.forEach(info -> out.putShort(info.shortValue()));
    return out.array();
  }

  /** The data of LIST_META_CONTEXT or SET_META_CONTEXT. */
  static byte[] contextQuery(String export, List<String> queries) {
    byte[] name = export.getBytes(StandardCharsets.UTF_8);
    List<byte[]> texts =
        queries.stream().map(query -> query.getBytes(StandardCharsets.UTF_8)).toList();
    int bytes = 8 + name.length + texts.stream().mapToInt(text -> 4 + text.length).sum();
    ByteBuffer out = ByteBuffer.allocate(bytes);
    out.putInt(name.length).put(name).putInt(texts.size());
    texts.forEach(text -> out.putInt(text.length).put(text));
    return out.array();
  }
}
