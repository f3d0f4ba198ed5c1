package hawser.blk;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.DeviceHost;
import hawser.vhost.backend.QueueHandler;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A virtio block device over any block node, which stays the caller's. What the node can serve
 * without waiting is served by the queue's own thread; what has to wait goes to a worker or, for a
 * file past the page cache, to the kernel, and holds nothing else up.
 */
public final class BlkDevice implements Device {
  /** How many requests may wait inside the node at a time. */
  private static final int WORKERS = 16;

  private final BlockNode node;
  private final BlkOptions options;
  private final ExecutorService workers =
      Executors.newFixedThreadPool(
          WORKERS, Thread.ofPlatform().daemon().name("blk-worker-", 0).factory());
  private volatile boolean writeCache = true;
  private volatile DeviceHost host = () -> {};

  /** Shows a node to guests. */
  public BlkDevice(BlockNode node, BlkOptions options) {
    this.node = node;
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
    return options.readOnly() || node.readOnly();
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
    return BlkConfig.of(length(), node.limits(), writeCache, options.queues());
  }

  private long length() {
    try {
      return node.length();
    } catch (BlockFault e) {
      return 0;
    }
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
  public void reset() {
    writeCache = true;
  }

  @Override
  public QueueHandler open(int queue) {
    return new BlkQueue(
        new NodeRequests(node, readOnly(), options.serial(), () -> writeCache), workers);
  }

  /** Ends the workers; no queue may work any more. */
  @Override
  public void close() {
    workers.close();
  }
}
