package hawser.interop.nbd;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * A client that sends bytes of its choice, whatever the answers are. Numbers are those of NBD
 * proto.md, written out here so that no mistake of ours is on both sides.
 */
final class HostileClient implements Closeable {
  private static final long IHAVEOPT = 0x49484156454F5054L;
  private static final int REQUEST = 0x25609513;
  private static final int EXTENDED_REQUEST = 0x21e41c71;
  private static final int FIXED_NEWSTYLE = 1;
  private static final int GO = 7;
  private static final String CONTEXT = "base:allocation";

  private final SocketChannel channel;

  HostileClient(Path socket) throws IOException {
    channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
  }

  /** Sends; false when the server has hung up, which is its right. */
  boolean send(byte[] bytes) {
    var rest = ByteBuffer.wrap(bytes);
    try {
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      return true;
    } catch (IOException serverHungUp) {
      return false;
    }
  }

  /** Reads exactly so many bytes. */
  ByteBuffer receive(int length) throws IOException {
    var bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new EOFException("the server has hung up");
      }
    }
    return bytes.flip();
  }

  /** Says that nothing more will come, and reads until the server has hung up. */
  void endAndDrain() throws IOException {
    try {
      channel.shutdownOutput();
    } catch (IOException serverHungUp) {
      return;
    }
    drain();
  }

  /** Reads until the server has hung up; how many bytes it had sent. */
  long drain() {
    var buffer = ByteBuffer.allocate(1 << 16);
    long seen = 0;
    try {
      for (int got = 0; got >= 0; got = channel.read(buffer.clear())) {
        seen += got;
      }
    } catch (IOException serverReset) {
      return seen;
    }
    return seen;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Every option, then the choice of the export, then every request; simple or extended. */
  static byte[] wholeConversation(boolean extended) {
    return joined(
        flags(),
        option(3, new byte[0]),
        option(8, new byte[0]),
        option(6, export()),
        option(9, contexts()),
        option(10, contexts()),
        extended ? option(11, new byte[0]) : option(99, new byte[] {1, 2, 3}),
        extended ? option(10, contexts()) : new byte[0],
        option(GO, export()),
        request(extended, 0, 0, 4096),
        request(extended, 1, 0, 8),
        new byte[8],
        request(extended, 3, 0, 0),
        request(extended, 4, 0, 4096),
        request(extended, 5, 0, 4096),
        request(extended, 6, 0, 4096),
        request(extended, 7, 0, 4096),
        request(extended, 2, 0, 0));
  }

  /** A conversation that ends in an option which claims more or less data than comes. */
  static byte[] claimingOption(int code, int length) {
    return bytes(
        out -> {
          out.write(flags());
          out.writeLong(IHAVEOPT);
          out.writeInt(code);
          out.writeInt(length);
          out.writeLong(0);
        });
  }

  /** Up to transmission, in simple or extended headers. */
  static byte[] greeting(boolean extended) {
    return joined(flags(), extended ? option(11, new byte[0]) : new byte[0], option(GO, export()));
  }

  /** One request's header. */
  static byte[] request(boolean extended, int type, long offset, long length) {
    return request(extended, 0, type, offset, length);
  }

  /** One request's header, with flags. */
  static byte[] request(boolean extended, int flags, int type, long offset, long length) {
    return bytes(
        out -> {
          out.writeInt(extended ? EXTENDED_REQUEST : REQUEST);
          out.writeShort(flags);
          out.writeShort(type);
          out.writeLong(0xC00C1EL);
          out.writeLong(offset);
          if (extended) {
            out.writeLong(length);
          } else {
            out.writeInt((int) length);
          }
        });
  }

  static byte[] flags() {
    return bytes(out -> out.writeInt(FIXED_NEWSTYLE));
  }

  static byte[] option(int code, byte[] data) {
    return bytes(
        out -> {
          out.writeLong(IHAVEOPT);
          out.writeInt(code);
          out.writeInt(data.length);
          out.write(data);
        });
  }

  static byte[] export() {
    return new byte[4 + 2];
  }

  private static byte[] contexts() {
    return bytes(
        out -> {
          out.writeInt(0);
          out.writeInt(1);
          out.writeInt(CONTEXT.length());
          out.write(CONTEXT.getBytes(US_ASCII));
        });
  }

  static byte[] joined(byte[]... parts) {
    return bytes(
        out -> {
          for (byte[] part : parts) {
            out.write(part);
          }
        });
  }

  private static byte[] bytes(Content content) {
    var bytes = new ByteArrayOutputStream();
    try {
      content.writeTo(new DataOutputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private interface Content {
    void writeTo(DataOutputStream out) throws IOException;
  }
}
