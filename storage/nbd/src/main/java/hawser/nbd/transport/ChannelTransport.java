package hawser.nbd.transport;

import hawser.base.PeerFault;
import hawser.sys.MessageHeader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** A connected {@link SocketChannel} in blocking mode; for systems without native calls. */
public final class ChannelTransport implements Transport {
  private final SocketChannel channel;

  /** Takes over a connected channel. */
  public ChannelTransport(SocketChannel channel) {
    this.channel = channel;
  }

  @Override
  public long receive(MemorySegment into) {
    try {
      return Math.max(0, channel.read(into.asByteBuffer()));
    } catch (IOException e) {
      throw new PeerFault("cannot receive: " + e.getMessage(), e);
    }
  }

  @Override
  public void send(MemorySegment from) {
    ByteBuffer left = from.asByteBuffer();
    try {
      while (left.hasRemaining()) {
        channel.write(left);
      }
    } catch (IOException e) {
      throw new PeerFault("cannot send: " + e.getMessage(), e);
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
    close();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new PeerFault("cannot close: " + e.getMessage(), e);
    }
  }
}
