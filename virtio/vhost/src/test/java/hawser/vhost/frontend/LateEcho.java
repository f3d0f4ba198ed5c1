package hawser.vhost.frontend;

import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Answers each chain by what it reads in it, from another thread than the queue's. */
final class LateEcho implements Device {
  private static final int BYTES_MAX = 4096;

  private final ExecutorService later = Executors.newSingleThreadExecutor();
  private final MemorySegment copy = Arena.ofAuto().allocate(BYTES_MAX);

  @Override
  public int virtioId() {
    return 42;
  }

  @Override
  public String name() {
    return "late";
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queues() {
    return 2;
  }

  @Override
  public QueueHandler open(int queue) {
    return chain -> later.execute(() -> echo(chain));
  }

  private void echo(Chain chain) {
    long bytes = chain.readableBytes();
    chain.read(0, copy.asSlice(0, bytes));
    chain.write(0, copy.asSlice(0, bytes));
    chain.complete(bytes);
  }

  @Override
  public void close() {
    later.close();
  }
}
