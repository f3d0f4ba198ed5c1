package hawser.nbd.server;

import hawser.base.PeerFault;
import hawser.nbd.Handshake;
import hawser.nbd.HandshakeRules;
import hawser.nbd.Magic;
import hawser.nbd.NbdLimits;
import hawser.nbd.Option;
import hawser.nbd.transport.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** Carries a handshake's bytes between a transport and the rules. Used by one thread. */
final class HandshakeSession {
  private static final int OPTION_HEADER = 16;
  private static final int CHUNK = 16 << 10;

  private final HandshakeRules rules;
  private final Transport transport;
  private int options;

  HandshakeSession(HandshakeRules rules, Transport transport) {
    this.rules = rules;
    this.transport = transport;
  }

  /** The first exchange: the greeting and the client's flags. */
  Handshake greet() {
    send(HandshakeRules.greeting());
    byte[] flags = receive(4, true);
    return flags.length == 0
        ? new Handshake.Ended("client went without a word")
        : HandshakeRules.begin(ByteBuffer.wrap(flags).getInt());
  }

  /** Exchanges options until something else is to happen. */
  Handshake haggle(Handshake.Haggling from) {
    Handshake now = from;
    while (now instanceof Handshake.Haggling haggling) {
      Handshake.Step step = rules.step(haggling, nextOption());
      answer(step);
      now = step.next();
    }
    return now;
  }

  private void answer(Handshake.Step step) {
    try {
      for (byte[] answer : step.answers()) {
        send(answer);
      }
    } catch (PeerFault e) {
      // A client that gives up need not wait for the answer (NBD_OPT_ABORT).
      if (!(step.next() instanceof Handshake.Ended)) {
        throw e;
      }
    }
  }

  private Option nextOption() {
    if (++options > NbdLimits.OPTIONS_MAX) {
      throw new PeerFault("more than " + NbdLimits.OPTIONS_MAX + " options");
    }
    ByteBuffer header = ByteBuffer.wrap(receive(OPTION_HEADER));
    long magic = header.getLong();
    if (magic != Magic.OPTION) {
      throw new PeerFault("option magic is %#x".formatted(magic));
    }
    int code = header.getInt();
    long length = Integer.toUnsignedLong(header.getInt());
    if (length > NbdLimits.OPTION_SKIP_BYTES_MAX) {
      throw new PeerFault("option %d has %d bytes of data".formatted(code, length));
    }
    if (length > NbdLimits.OPTION_BYTES_MAX) {
      skip(length);
      return new Option.TooBig(code, length);
    }
    return Option.parse(code, receive((int) length));
  }

  private void skip(long bytes) {
    for (long left = bytes; left > 0; left -= CHUNK) {
      receive((int) Math.min(left, CHUNK));
    }
  }

  private byte[] receive(int bytes) {
    return receive(bytes, false);
  }

  /** Answers nothing if the client is gone before the first byte, and that is allowed. */
  private byte[] receive(int bytes, boolean orNothing) {
    var all = new byte[bytes];
    try (var arena = Arena.ofConfined()) {
      MemorySegment piece = arena.allocate(Math.max(1, Math.min(bytes, CHUNK)), 8);
      for (int done = 0; done < bytes; ) {
        MemorySegment want = piece.asSlice(0, Math.min(bytes - done, CHUNK));
        int count = (int) transport.receive(want);
        if (count == 0 && done == 0 && orNothing) {
          return new byte[0];
        }
        if (count == 0) {
          throw new PeerFault("client went during the handshake");
        }
        MemorySegment.copy(want, ValueLayout.JAVA_BYTE, 0, all, done, count);
        done += count;
      }
    }
    return all;
  }

  private void send(byte[] bytes) {
    try (var arena = Arena.ofConfined()) {
      transport.send(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
    }
  }
}
