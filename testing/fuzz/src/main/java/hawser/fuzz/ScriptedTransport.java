package hawser.fuzz;

import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A peer that says what it was given, hears everything, and then ends the stream. */
final class ScriptedTransport implements Transport {
  private final MemorySegment script;
  private long said;
  private boolean closed;

  ScriptedTransport(byte[] script) {
    this.script = MemorySegment.ofArray(script);
  }

  @Override
  public long receive(MemorySegment into) {
    if (closed) {
      return 0;
    }
    long count = Math.min(into.byteSize(), script.byteSize() - said);
    MemorySegment.copy(script, ValueLayout.JAVA_BYTE, said, into, ValueLayout.JAVA_BYTE, 0, count);
    said += count;
    return count;
  }

  @Override
  public void send(MemorySegment from) {}

  @Override
  public void send(MessageHeader message) {}

  @Override
  public void shutdown() {
    closed = true;
  }

  @Override
  public void close() {
    closed = true;
  }
}
