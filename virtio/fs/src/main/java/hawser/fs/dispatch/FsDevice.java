package hawser.fs.dispatch;

import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SavesState;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The virtio file system device (virtio, "File System Device"): queue 0 for what must not wait
 * behind others, and request queues.
 */
public final class FsDevice implements Device, SavesState {
  /** Bytes of the tag by which a guest mounts the share. */
  public static final int TAG_BYTES_MAX = 36;

  /** Request queues at most. */
  public static final int REQUEST_QUEUES_MAX = 64;

  /** Requests that wait at the same time, for locks or for the disk. */
  private static final int WORKERS_MAX = 256;

  private static final int STREAM_BYTES = 64 << 10;
  private static final int WORKER_IDLE_SECONDS = 10;

  private final Mount mount;
  private final String tag;
  private final int requestQueues;
  private final Consumer<String> log;
  private final ExecutorService workers;

  /**
   * Serves a file system, which stays the caller's.
   *
   * @param tag the tag in the configuration space; empty where the front-end has it
   * @param requestQueues 1 to {@link #REQUEST_QUEUES_MAX}
   */
  public FsDevice(FileSystem files, String tag, int requestQueues, Consumer<String> log) {
    this.mount = new Mount(files);
    files.agreedBefore().ifPresent(mount::mountedWith);
    this.tag = tag;
    this.requestQueues = requestQueues;
    this.log = log;
    this.workers =
        new ThreadPoolExecutor(
            0,
            WORKERS_MAX,
            WORKER_IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("fs-worker-", 0).factory(),
            new ThreadPoolExecutor.CallerRunsPolicy());
  }

  @Override
  public int virtioId() {
    return 26;
  }

  @Override
  public String name() {
    return "fs";
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queues() {
    return 1 + requestQueues;
  }

  @Override
  public ByteBuffer config() {
    if (tag.isEmpty()) {
      return ByteBuffer.allocate(0);
    }
    byte[] bytes = tag.getBytes(StandardCharsets.UTF_8);
    ByteBuffer config =
        ByteBuffer.allocate(TAG_BYTES_MAX + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    config.put(bytes).position(TAG_BYTES_MAX);
    return config.putInt(requestQueues).flip();
  }

  @Override
  public void prepare() {
    mount.files.prepare();
  }

  @Override
  public void cancel() {
    mount.files.cancel();
  }

  @Override
  public void readyToSave() throws IOException {
    List<String> obstacles = mount.files.obstacles();
    if (!obstacles.isEmpty()) {
      throw new IOException(String.join("; ", obstacles));
    }
  }

  @Override
  public void save(OutputStream to) throws IOException {
    var buffered = new BufferedOutputStream(to, STREAM_BYTES);
    mount.files.save(buffered);
    buffered.flush();
  }

  @Override
  public void load(InputStream from) throws IOException {
    OptionalLong agreed = mount.files.load(new BufferedInputStream(from, STREAM_BYTES));
    agreed.ifPresent(mount::mountedWith);
  }

  @Override
  public QueueHandler open(int queue) {
    mount.files.resumed();
    return new FuseQueue(mount, workers, log);
  }

  @Override
  public void reset() {
    mount.destroy();
  }

  @Override
  public void close() {
    workers.shutdownNow();
  }
}
