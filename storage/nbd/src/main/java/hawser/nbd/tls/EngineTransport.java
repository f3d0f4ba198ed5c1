package hawser.nbd.tls;

import hawser.base.PeerFault;
import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/** A stream encrypted by the JDK's TLS. */
final class EngineTransport implements Transport {
  /** Several records a system call. */
  private static final int NET_BYTES = 128 << 10;

  private final Transport plain;
  private final SSLEngine engine;
  private final MemorySegment received = Arena.ofAuto().allocate(NET_BYTES, 64);
  private final MemorySegment leaving = Arena.ofAuto().allocate(NET_BYTES, 64);
  private final ByteBuffer in = received.asByteBuffer().limit(0);
  private final ByteBuffer out = leaving.asByteBuffer();
  private final ByteBuffer clear;
  private final Object sending = new Object();

  /** Runs the handshake. */
  EngineTransport(Transport plain, SSLEngine engine) {
    this.plain = plain;
    this.engine = engine;
    this.clear =
        ByteBuffer.allocate(engine.getSession().getApplicationBufferSize() + 1024).limit(0);
    boolean done = false;
    try {
      engine.beginHandshake();
      handshake();
      done = true;
    } catch (SSLException e) {
      farewell();
      throw new PeerFault(HandshakeWords.of(e, engine.getPeerHost()), e);
    } finally {
      if (!done) {
        plain.shutdown();
      }
    }
  }

  SSLEngine engine() {
    return engine;
  }

  /** The innermost words: those about certificates are wrapped several times. */
  private static String reason(SSLException e) {
    Throwable inner = e;
    while (inner.getCause() != null) {
      inner = inner.getCause();
    }
    return String.valueOf(inner.getMessage());
  }

  private void handshake() throws SSLException {
    while (true) {
      HandshakeStatus status = engine.getHandshakeStatus();
      switch (status) {
        case NEED_TASK -> runTasks();
        case NEED_WRAP -> sendRecord();
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
          if (!unwrap()) {
            throw new SSLException("The TLS connection was non-properly terminated.");
          }
        }
        case FINISHED, NOT_HANDSHAKING -> {
          return;
        }
      }
    }
  }

  private void runTasks() {
    for (Runnable task = engine.getDelegatedTask();
        task != null;
        task = engine.getDelegatedTask()) {
      task.run();
    }
  }

  /** Sends what the protocol itself has to say. */
  private void sendRecord() throws SSLException {
    synchronized (sending) {
      out.clear();
      engine.wrap(ByteBuffer.allocate(0), out);
      sendOut();
    }
  }

  private void sendOut() {
    if (out.position() > 0) {
      plain.send(leaving.asSlice(0, out.position()));
      out.clear();
    }
  }

  /** Tells the other side why, as far as it still listens. */
  private void farewell() {
    try {
      while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP && !engine.isOutboundDone()) {
        sendRecord();
      }
    } catch (SSLException | PeerFault e) {
      plain.shutdown();
    }
  }

  /** Decrypts one record into {@link #clear}, which must be empty; false at the end. */
  private boolean unwrap() throws SSLException {
    while (true) {
      clear.clear();
      SSLEngineResult result = engine.unwrap(in, clear);
      clear.flip();
      switch (result.getStatus()) {
        case OK -> {
          return true;
        }
        case CLOSED -> {
          return false;
        }
        case BUFFER_UNDERFLOW -> {
          if (!receiveMore()) {
            return false;
          }
        }
        case BUFFER_OVERFLOW -> throw new SSLException("TLS record is longer than announced");
      }
    }
  }

  private boolean receiveMore() {
    in.compact();
    long count = plain.receive(received.asSlice(in.position()));
    in.position(in.position() + (int) count);
    in.flip();
    return count > 0;
  }

  @Override
  public long receive(MemorySegment into) {
    try {
      while (!clear.hasRemaining()) {
        if (!unwrap()) {
          return 0;
        }
        afterRecord();
      }
    } catch (SSLException e) {
      throw new PeerFault("Cannot read from TLS channel: " + reason(e), e);
    }
    int count = (int) Math.min(into.byteSize(), clear.remaining());
    MemorySegment.copy(MemorySegment.ofBuffer(clear), 0, into, 0, count);
    clear.position(clear.position() + count);
    return count;
  }

  /** Answers records of the protocol itself, such as a change of keys. */
  private void afterRecord() throws SSLException {
    HandshakeStatus status = engine.getHandshakeStatus();
    while (status == HandshakeStatus.NEED_TASK || status == HandshakeStatus.NEED_WRAP) {
      if (status == HandshakeStatus.NEED_TASK) {
        runTasks();
      } else {
        sendRecord();
      }
      status = engine.getHandshakeStatus();
    }
  }

  @Override
  public void send(MemorySegment from) {
    synchronized (sending) {
      encrypt(from);
      sendOut();
    }
  }

  @Override
  public void send(MessageHeader message) {
    synchronized (sending) {
      while (message.pieces().count() > 0) {
        MemorySegment piece = message.pieces().firstPiece();
        encrypt(piece);
        message.pieces().consume(piece.byteSize());
      }
      sendOut();
    }
  }

  private void encrypt(MemorySegment from) {
    ByteBuffer data = from.asByteBuffer();
    try {
      while (data.hasRemaining()) {
        SSLEngineResult result = engine.wrap(data, out);
        switch (result.getStatus()) {
          case OK -> {}
          case BUFFER_OVERFLOW -> sendOut();
          case CLOSED, BUFFER_UNDERFLOW ->
              throw new PeerFault("Cannot write to TLS channel: it is closed");
        }
      }
    } catch (SSLException e) {
      throw new PeerFault("Cannot write to TLS channel: " + reason(e), e);
    }
  }

  @Override
  public void shutdown() {
    plain.shutdown();
  }

  @Override
  public void close() {
    engine.closeOutbound();
    farewell();
    plain.close();
  }
}
