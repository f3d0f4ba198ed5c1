package hawser.blk;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.block.BlockNode;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.DeviceHost;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SavesState;
import hawser.vhost.backend.SmallState;
import hawser.vhost.message.VirtioFeature;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A virtio block device over any block node, which stays the caller's. What the node can serve
 * without waiting is served by the queue's own thread; what has to wait goes to a worker or, for a
 * file past the page cache, to the kernel, and holds nothing else up. Whether the guest has
 * switched the write cache off migrates with it.
 */
public final class BlkDevice implements Device, SavesState {
  /** How many requests may wait inside the node at a time. */
  private static final int WORKERS = 16;

  /** One byte: whether there is a write cache. */
  private static final SmallState FORM = new SmallState("blk", 0x4b4c4248, 1, 1, 1); // "HBLK"

  private final Disk disk;
  private final BlkOptions options;
  private final ExecutorService workers =
      Executors.newFixedThreadPool(
          WORKERS, Thread.ofPlatform().daemon().name("blk-worker-", 0).factory());
  private volatile boolean writeCache = true;
  private boolean migrating;
  private volatile DeviceHost host = () -> {};

  /** Shows a node to guests. */
  public BlkDevice(BlockNode node, BlkOptions options) {
    this(Disk.of(node), options);
  }

  /** Shows a disk to guests; it stays the caller's. */
  public BlkDevice(Disk disk, BlkOptions options) {
    this.disk = disk;
    this.options = options;
  }

  @Override
  public int virtioId() {
    return 2;
  }

  @Override
  public String name() {
    return "blk";
  }

  private boolean readOnly() {
    return options.readOnly() || disk.readOnly();
  }

  @Override
  public long features() {
    long features =
        BlkFeature.SEG_MAX
            | BlkFeature.BLK_SIZE
            | BlkFeature.FLUSH
            | BlkFeature.TOPOLOGY
            | BlkFeature.CONFIG_WCE
            | BlkFeature.MQ;
    return features
        | (readOnly() ? BlkFeature.READ_ONLY : BlkFeature.DISCARD | BlkFeature.WRITE_ZEROES);
  }

  @Override
  public int queues() {
    return options.queues();
  }

  @Override
  public ByteBuffer config() {
    return BlkConfig.of(disk.length(), disk.limits(), writeCache, options.queues());
  }

  @Override
  public boolean configure(int offset, ByteBuffer content) {
    int wanted = BlkConfig.writeCache(offset, content);
    if (wanted >= 0) {
      writeCache = wanted == 1;
    }
    return wanted >= 0;
  }

  @Override
  public void attach(DeviceHost newHost) {
    host = newHost;
  }

  /** The node's length has changed: tells the guest. Safe from any thread. */
  public void resized() {
    host.configChanged();
  }

  @Override
  public void agreed(long features) {
    migrating = (features & VirtioFeature.LOG_ALL) != 0;
  }

  /**
   * A guest that stops while its changes are logged goes on elsewhere, or here again: a disk that
   * both sides share must be whole before the answer that lets it go. One that stops for another
   * reason, as a reset, keeps its disk, for nobody else may have it meanwhile.
   */
  @Override
  public void suspended() {
    if (migrating) {
      try {
        disk.giveUp();
      } catch (BlockFault e) {
        throw new PeerFault("the disk cannot be given up: " + e.getMessage(), e);
      }
    }
  }

  @Override
  public void reset() {
    writeCache = true;
  }

  @Override
  public void save(OutputStream to) throws IOException {
    FORM.write(FORM.items(1).put((byte) (writeCache ? 1 : 0)), to);
  }

  @Override
  public void load(InputStream from) throws IOException {
    byte saved = FORM.read(from).get();
    if (saved != 0 && saved != 1) {
      throw new IOException("write cache is %d, not 0 or 1".formatted(saved));
    }
    boolean changed = writeCache != (saved == 1);
    writeCache = saved == 1;
    if (changed) {
      host.configChanged();
    }
  }

  @Override
  public boolean sureToLoad() {
    return true;
  }

  @Override
  public QueueHandler open(int queue) {
    return new BlkQueue(
        new NodeRequests(taken(), readOnly(), options.serial(), () -> writeCache), workers);
  }

  private BlockNode taken() {
    boolean wasActive = disk.active();
    long lengthBefore = disk.length();
    try {
      BlockNode node = disk.activate();
      if (!wasActive && disk.length() != lengthBefore) {
        // Not from this thread: the front-end may wait for it before it looks at the other channel.
        Thread.ofVirtual().start(this::resized);
      }
      return node;
    } catch (BlockFault e) {
      throw new PeerFault("the disk cannot be taken: " + e.getMessage(), e);
    }
  }

  @Override
  public boolean behindIommu() {
    return true;
  }

  /** What waits for a worker can as well wait at another back-end. */
  @Override
  public boolean suspendsRequests() {
    return true;
  }

  /** Ends the workers; no queue may work any more. */
  @Override
  public void close() {
    workers.close();
  }
}
