package hawser.devices;

import hawser.vhost.backend.QueueHandler;
import hawser.vhost.ring.Chain;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A queue that carries what a device has to tell: each item's bytes fill one buffer. */
public final class Told implements QueueHandler {
  private final Inbox<byte[]> inbox;
  private byte @Nullable [] rest;
  private int at;

  /** Takes from an inbox, which stays the device's. */
  public Told(Inbox<byte[]> inbox) {
    this.inbox = inbox;
  }

  @Override
  public boolean wants() {
    return rest != null || !inbox.isEmpty();
  }

  @Override
  public void handle(Chain chain) {
    byte[] bytes = rest == null ? inbox.poll() : rest;
    if (bytes == null) {
      throw new AssertionError("a buffer was taken for nothing");
    }
    int count = (int) Math.min(chain.writableBytes(), bytes.length - at);
    chain.write(0, MemorySegment.ofArray(bytes).asSlice(at, count));
    at += count;
    rest = at < bytes.length ? bytes : null;
    at = rest == null ? 0 : at;
    chain.complete(count);
  }

  @Override
  public int event() {
    return inbox.event();
  }
}
