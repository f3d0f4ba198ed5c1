package hawser.nbd.tls;

import hawser.base.PeerFault;
import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bouncycastle.tls.TlsClient;
import org.bouncycastle.tls.TlsClientProtocol;
import org.bouncycastle.tls.TlsProtocol;
import org.bouncycastle.tls.TlsServer;
import org.bouncycastle.tls.TlsServerProtocol;

/** A stream encrypted by Bouncy Castle's TLS, whose handshake is over. */
final class StreamTransport implements Transport {
  private static final int PIECE = 16 << 10;

  private final Transport plain;
  private final TlsProtocol protocol;
  private final byte[] incoming = new byte[PIECE];
  private final byte[] outgoing = new byte[PIECE];

  private StreamTransport(Transport plain, TlsProtocol protocol) {
    this.plain = plain;
    this.protocol = protocol;
  }

  /** Runs the handshake of a client. */
  static StreamTransport client(Transport plain, TlsClient client) {
    var protocol = new TlsClientProtocol(input(plain), output(plain));
    try {
      protocol.connect(client);
    } catch (IOException e) {
      throw new PeerFault("TLS handshake failed: " + e.getMessage(), e);
    }
    return new StreamTransport(plain, protocol);
  }

  /** Runs the handshake of a server. */
  static StreamTransport server(Transport plain, TlsServer server) {
    var protocol = new TlsServerProtocol(input(plain), output(plain));
    try {
      protocol.accept(server);
    } catch (IOException e) {
      throw new PeerFault("TLS handshake failed: " + e.getMessage(), e);
    }
    return new StreamTransport(plain, protocol);
  }

  /** The bytes of a transport, for the protocol to read. */
  private static InputStream input(Transport plain) {
    return new InputStream() {
      private final MemorySegment piece = java.lang.foreign.Arena.ofAuto().allocate(PIECE, 8);

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
          return 0;
        }
        int count = (int) plain.receive(piece.asSlice(0, Math.min(length, PIECE)));
        MemorySegment.copy(piece, ValueLayout.JAVA_BYTE, 0, into, offset, count);
        return count == 0 ? -1 : count;
      }
    };
  }

  /** A way for the protocol to write to a transport. */
  private static OutputStream output(Transport plain) {
    return new OutputStream() {
      private final MemorySegment piece = java.lang.foreign.Arena.ofAuto().allocate(PIECE, 8);

      @Override
      public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
      }

      @Override
      public void write(byte[] from, int offset, int length) {
        for (int done = 0; done < length; done += PIECE) {
          int count = Math.min(PIECE, length - done);
          MemorySegment.copy(from, offset + done, piece, ValueLayout.JAVA_BYTE, 0, count);
          plain.send(piece.asSlice(0, count));
        }
      }
    };
  }

  @Override
  public long receive(MemorySegment into) {
    try {
      int most = (int) Math.min(into.byteSize(), PIECE);
      int count = protocol.getInputStream().read(incoming, 0, most);
      if (count <= 0) {
        return 0;
      }
      MemorySegment.copy(incoming, 0, into, ValueLayout.JAVA_BYTE, 0, count);
      return count;
    } catch (IOException e) {
      throw new PeerFault("Cannot read from TLS channel: " + e.getMessage(), e);
    }
  }

  @Override
  public void send(MemorySegment from) {
    synchronized (outgoing) {
      try {
        for (long done = 0; done < from.byteSize(); done += PIECE) {
          int count = (int) Math.min(PIECE, from.byteSize() - done);
          MemorySegment.copy(from, ValueLayout.JAVA_BYTE, done, outgoing, 0, count);
          protocol.getOutputStream().write(outgoing, 0, count);
        }
      } catch (IOException e) {
        throw new PeerFault("Cannot write to TLS channel: " + e.getMessage(), e);
      }
    }
  }

  @Override
  public void send(MessageHeader message) {
    while (message.pieces().count() > 0) {
      MemorySegment piece = message.pieces().firstPiece();
      send(piece);
      message.pieces().consume(piece.byteSize());
    }
  }

  @Override
  public void shutdown() {
    plain.shutdown();
  }

  @Override
  public void close() {
    try {
      protocol.close();
    } catch (IOException | PeerFault e) {
      // The other side has gone without a word; there is nobody left to say goodbye to.
      plain.shutdown();
    }
    plain.close();
  }
}
