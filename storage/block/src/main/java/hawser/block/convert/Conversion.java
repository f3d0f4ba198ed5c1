package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.base.ThreadEnd;
import hawser.block.BlockNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies the content of one disk to another.
 *
 * <pre>{@code
 * new Conversion(source, target).compressed().run(Watcher.NOBODY);
 * }</pre>
 *
 * <p>The source is walked by its extents: holes are never read, and runs of zeroes in what is read
 * are not written where the target reads as zeroes anyway. Several threads read, and write in the
 * order of the target unless told otherwise. Both disks stay open. A conversion is set up and run
 * by one thread, once.
 */
public final class Conversion {
  /** The most worker threads; each holds a buffer of at most 2 MiB. */
  public static final int WORKERS_MAX = 16;

  private static final int WORKERS_WAITING = 8;
  private static final long BUFFER_BYTES = 2 << 20;
  private static final int SECTOR = 512;

  final BlockNode source;
  final BlockNode target;
  long sparse = 4096;
  boolean inOrder = true;
  boolean compressed;
  boolean targetReadsZero = true;
  boolean overBacking;
  long backingLength;
  boolean salvage;
  boolean offload;
  private int workers;

  /** Copies all of {@code source} to the start of {@code target}, which must be as long. */
  public Conversion(BlockNode source, BlockNode target) {
    this.source = source;
    this.target = target;
  }

  /**
   * Uses so many threads, 1 to {@link #WORKERS_MAX}. Unless said: one a processor where both disks
   * are files in the page cache, for more would only get in each other's way; 8 where requests wait
   * for a device or a peer.
   */
  public Conversion workers(int count) {
    if (count < 1 || count > WORKERS_MAX) {
      throw new IllegalArgumentException("workers " + count + " is not in 1.." + WORKERS_MAX);
    }
    workers = count;
    return this;
  }

  /** Writes as reads come back: can be faster, and leaves the target's clusters in any order. */
  public Conversion outOfOrder() {
    inOrder = false;
    return this;
  }

  /**
   * Writes runs of zeroes as data only when they are shorter than {@code bytes}, a multiple of 512;
   * 0 writes everything. 4096 unless said.
   */
  public Conversion sparse(long bytes) {
    if (bytes < 0 || bytes % SECTOR != 0) {
      throw new IllegalArgumentException("sparse " + bytes + " is not a multiple of " + SECTOR);
    }
    sparse = bytes;
    return this;
  }

  /**
   * Stores compressed clusters. Workers compress at the same time, so that the clusters' order in
   * the file is not the disk's.
   */
  public Conversion compressed() {
    compressed = true;
    inOrder = false;
    return this;
  }

  /** Writes zeroes too: the target holds old data, or is not known to read as zeroes. */
  public Conversion targetHoldsData() {
    targetReadsZero = false;
    return this;
  }

  /**
   * Leaves alone what the source reads from beneath its own layer: the target has a backing file of
   * {@code length} bytes that holds it.
   */
  public Conversion overBacking(long length) {
    overBacking = true;
    targetReadsZero = false;
    backingLength = length;
    return this;
  }

  /**
   * Sectors that cannot be read become zeroes, with a warning, instead of ending the copy. As with
   * qemu-img the state of the whole source is asked for once before, and warned of twice. One
   * thread reads unless told otherwise, so that warnings come in the order of the disk.
   */
  public Conversion salvage() {
    salvage = true;
    return this;
  }

  /**
   * Lets the kernel copy between files without showing us the bytes, where both ends can. Zeroes in
   * the data are copied as data; the order is that of the copies.
   */
  public Conversion offload() {
    offload = true;
    inOrder = false;
    return this;
  }

  /**
   * Copies, and returns when everything is written (not flushed).
   *
   * @throws BlockFault the first failure, with the words {@code error while reading at byte N};
   *     ECANCELED when the watcher asked to stop
   */
  public void run(Watcher watcher) throws BlockFault {
    long length = Math.min(Ranges.alignUp(source.length(), SECTOR), target.length());
    // What cannot be read is told sector by sector; compressed clusters are always whole.
    boolean sectors = salvage && !compressed;
    long unit = sectors ? SECTOR : Math.max(target.limits().preferred(), SECTOR);
    long bytes = Math.max(Ranges.alignDown(BUFFER_BYTES, unit), unit);
    if (salvage) {
      askForAll(new Chunks(this, watcher, length, bytes, unit));
    }
    var work = new Work(new Chunks(this, watcher, length, bytes, unit), watcher, length);
    var threads = new ArrayList<Thread>();
    int wanted = workers == 0 ? defaultWorkers() : workers;
    int useful = (int) Math.min(wanted, Ranges.unitsFor(length, bytes));
    for (int i = 1; i < useful; i++) {
      threads.add(Thread.ofPlatform().name("convert-" + i).start(new Worker(this, work, bytes)));
    }
    new Worker(this, work, bytes).run();
    // The workers hold both disks: they must be gone before anybody may close those.
    threads.forEach(ThreadEnd::await);
    work.finish();
    watcher.progress(length, length);
  }

  /** Goes through the source's extents alone. */
  private static void askForAll(Chunks chunks) throws BlockFault {
    while (chunks.next() != null) {}
  }

  private int defaultWorkers() {
    if (salvage) {
      return 1;
    }
    int processors = Math.clamp(Runtime.getRuntime().availableProcessors(), 2, WORKERS_WAITING);
    return waits(source) || waits(target) ? WORKERS_WAITING : processors;
  }

  /** Whether some of a disk's bytes are behind a device or a connection. */
  private static boolean waits(BlockNode node) {
    List<BlockNode> below = node.children();
    return below.isEmpty()
        ? !node.driver().equals("file") || node.directFile() != null
        : below.stream().anyMatch(Conversion::waits);
  }
}
