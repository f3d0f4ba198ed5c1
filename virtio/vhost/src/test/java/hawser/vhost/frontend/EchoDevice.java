package hawser.vhost.frontend;

import hawser.vhost.backend.Device;
import hawser.vhost.backend.DeviceHost;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SavesState;
import hawser.vhost.ring.Chain;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Answers each chain by what it reads in it, and has a state. */
class EchoDevice implements Device, SavesState {
  private static final int BYTES_MAX = 1 << 16;

  private final int queues;
  volatile byte[] state = new byte[0];
  volatile DeviceHost host = () -> {};

  EchoDevice() {
    this(2);
  }

  EchoDevice(int queues) {
    this.queues = queues;
  }

  @Override
  public int virtioId() {
    return 42;
  }

  @Override
  public String name() {
    return "echo";
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public boolean behindIommu() {
    return true;
  }

  @Override
  public int queues() {
    return queues;
  }

  @Override
  public void attach(DeviceHost newHost) {
    host = newHost;
  }

  @Override
  public QueueHandler open(int queue) {
    MemorySegment copy = Arena.ofAuto().allocate(BYTES_MAX);
    return new QueueHandler() {
      @Override
      public void handle(Chain chain) {
        long bytes = Math.min(chain.readableBytes(), chain.writableBytes());
        chain.read(0, copy.asSlice(0, bytes));
        chain.write(0, copy.asSlice(0, bytes));
        chain.complete(bytes);
      }
    };
  }

  @Override
  public void save(OutputStream to) throws IOException {
    to.write(state);
  }

  @Override
  public void load(InputStream from) throws IOException {
    byte[] loaded = from.readAllBytes();
    if (loaded.length > 0 && loaded[0] == 0) {
      throw new IOException("the state begins with 0");
    }
    state = loaded;
  }

  @Override
  public void close() {}
}
