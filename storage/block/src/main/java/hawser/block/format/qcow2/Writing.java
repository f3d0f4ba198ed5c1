package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.util.concurrent.locks.ReentrantLock;

/** What an image needs besides reading when it is open for writing. */
final class Writing implements AutoCloseable {
  final Image image;
  final ReentrantLock mutex;
  final Overlaps overlaps;
  final Refcounts refcounts;
  final Allocator allocator;
  final FreedClusters freed;
  final WriteBack writeBack;
  final UnderWay underWay;
  final L2Tables l2Tables;
  final ClusterWriter writer;
  final CompressedWriter compressed;
  final ZeroWriter zeroes;
  final RecordedBitmaps bitmaps;
  private final long lengthAtOpen;
  private volatile boolean begun;

  private Writing(Image image) throws BlockFault {
    this.image = image;
    this.mutex = image.tables.mutex();
    this.lengthAtOpen = image.file.length();
    this.overlaps = new Overlaps(image);
    this.refcounts = new Refcounts(image, overlaps);
    this.allocator = new Allocator(image, refcounts, overlaps);
    this.freed = new FreedClusters(image, refcounts, allocator);
    this.writeBack = new WriteBack(image, refcounts, overlaps, freed);
    this.underWay = new UnderWay(mutex);
    this.l2Tables = new L2Tables(this);
    this.writer = new ClusterWriter(this);
    this.compressed = new CompressedWriter(this);
    this.zeroes = new ZeroWriter(this);
    this.bitmaps = new RecordedBitmaps(this);
  }

  /** Prepares writing; repairs the refcounts of an image that was not closed in order. */
  static Writing of(Image image) throws BlockFault {
    image.damage.onFatal(() -> markCorrupt(image));
    var writing = new Writing(image);
    image.tables.onFull(writing.writeBack::all);
    writing.mutex.lock();
    try {
      writing.clearUnknownAutoclear();
      if (image.header().has(IncompatibleFeature.DIRTY)) {
        new RefcountRebuild(writing).run();
      }
    } catch (BlockFault fault) {
      writing.refcounts.close();
      writing.compressed.close();
      throw fault;
    } finally {
      writing.mutex.unlock();
    }
    return writing;
  }

  private static void markCorrupt(Image image) throws BlockFault {
    Qcow2Header header = image.header();
    image.header(
        header.withFeatures(
            header.incompatible() | IncompatibleFeature.CORRUPT.mask(),
            header.compatible(),
            header.autoclear()));
    HeaderWriter.features(image.file, image.header());
    image.file.node().flush();
  }

  private void clearUnknownAutoclear() throws BlockFault {
    Qcow2Header header = image.header();
    if ((header.autoclear() & ~AutoclearFeature.all()) != 0) {
      features(header.incompatible(), header.autoclear() & AutoclearFeature.all());
    }
  }

  /** Changes the feature words in the file, durably. Needs the mutex. */
  void features(long incompatible, long autoclear) throws BlockFault {
    Qcow2Header header = image.header();
    Qcow2Header newer = header.withFeatures(incompatible, header.compatible(), autoclear);
    HeaderWriter.features(image.file, newer);
    image.file.node().flush();
    image.header(newer);
  }

  /** Called before anything is changed: from the first write on, persistent bitmaps record it. */
  void begin() throws BlockFault {
    image.damage.check();
    if (!begun) {
      mutex.lock();
      try {
        if (!begun) {
          bitmaps.begin();
          begun = true;
        }
      } finally {
        mutex.unlock();
      }
    }
  }

  /**
   * Called before clusters are taken or given back: with lazy refcounts the image says that its
   * refcounts cannot be trusted until it is closed. Needs the mutex.
   */
  void beginAllocating() throws BlockFault {
    Qcow2Header header = image.header();
    if (image.options.lazyRefcounts() && !header.has(IncompatibleFeature.DIRTY)) {
      features(header.incompatible() | IncompatibleFeature.DIRTY.mask(), header.autoclear());
    }
  }

  /** Writes metadata back when enough freed clusters wait for it. Needs the mutex. */
  void reclaimIfMany() throws BlockFault {
    if (freed.many()) {
      writeBack.all();
    }
  }

  /** Whether {@link #begin} has run. */
  boolean begun() {
    return begun;
  }

  void flush() throws BlockFault {
    image.damage.check();
    image.file.event(BlkdebugEvent.FLUSH_TO_OS);
    if (!writeBack.anything()) {
      writeBack.flushFiles();
      return;
    }
    mutex.lock();
    try {
      writeBack.all();
    } finally {
      mutex.unlock();
    }
  }

  /** Writes everything, marks the image clean, and cuts off room that was never taken. */
  private void finish() throws BlockFault {
    if (image.damage.fatal()) {
      return; // Whoever met the damage was told; what is in memory must not reach the file.
    }
    bitmaps.store();
    if (begun || writeBack.anything() || freed.any()) {
      writeBack.all();
      writeBack.refcounts();
    }
    Qcow2Header header = image.header();
    if (header.has(IncompatibleFeature.DIRTY)) {
      features(header.incompatible() & ~IncompatibleFeature.DIRTY.mask(), header.autoclear());
    }
    long end = Math.max(lengthAtOpen, allocator.highestEnd());
    if (image.data == image.file && end < image.file.length()) {
      image.file.resize(end, hawser.block.Preallocation.OFF);
    }
  }

  @Override
  public void close() throws BlockFault {
    mutex.lock();
    try {
      finish();
    } finally {
      mutex.unlock();
      refcounts.close();
      compressed.close();
    }
  }
}
