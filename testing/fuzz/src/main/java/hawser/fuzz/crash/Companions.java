package hawser.fuzz.crash;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.format.qcow2.Qcow2Driver;
import hawser.block.format.qcow2.Qcow2Node;
import hawser.block.format.qcow2.Qcow2Options;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.testkit.node.MemoryNode;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * What an image holds beside its disk while work is done to it: perhaps an internal snapshot, which
 * must stay as it is, and two bitmaps that record, which must tell of every change or say that they
 * cannot be trusted.
 */
final class Companions {
  private final Qcow2Options options;
  private final @Nullable MemoryNode backing;
  private final boolean snapshot;
  private final int bitmaps;
  private final byte[] firstTags;

  /**
   * Takes note of what there is.
   *
   * @param options the image's shape
   * @param backing its backing file
   * @param snapshot whether there is a snapshot of the disk as it was at first
   * @param bitmaps how many bitmaps record
   * @param firstTags what the disk held at first
   */
  private Companions(
      Qcow2Options options,
      @Nullable MemoryNode backing,
      boolean snapshot,
      int bitmaps,
      byte[] firstTags) {
    this.options = options;
    this.backing = backing;
    this.snapshot = snapshot;
    this.bitmaps = bitmaps;
    this.firstTags = firstTags;
  }

  /** There are none. */
  static Companions none(Qcow2Options options) {
    return new Companions(options, null, false, 0, new byte[0]);
  }

  /** Puts into a new image what chance wants, and may fill the disk, and {@code tags}, for it. */
  static Companions join(
      MemoryNode file, Qcow2Options options, @Nullable MemoryNode backing, byte[] tags, Random dice)
      throws BlockFault {
    // A refcount of one bit has no room for a second owner.
    boolean snapshot = options.version() == 3 && options.refcountBits() > 1 && dice.nextInt(3) == 0;
    var companions = new Companions(options, backing, snapshot, 0, tags);
    if (snapshot) {
      companions.fill(file, dice);
      InternalSnapshot.take(file);
    }
    boolean record = options.version() == 3 && dice.nextInt(3) == 0;
    if (record) {
      companions.addBitmaps(file);
    }
    return new Companions(options, backing, snapshot, record ? 2 : 0, tags.clone());
  }

  private Qcow2Node open(MemoryNode file, OpenMode mode) throws BlockFault {
    return Qcow2Driver.openOver(
        file, null, Workload.copyOf(backing), new Options(), mode, text -> {});
  }

  /** Something for a snapshot to keep: plain and compressed clusters. */
  private void fill(MemoryNode file, Random dice) throws BlockFault {
    int perCluster = (int) (options.clusterBytes() / DiskModel.SECTOR);
    try (Qcow2Node node = open(file, OpenMode.WRITE)) {
      for (int first = 0; first + perCluster <= firstTags.length; first += perCluster) {
        // Many compressed clusters share a place, and the snapshot doubles its owners.
        boolean compressed = options.refcountBits() >= 16 && dice.nextInt(3) == 0;
        int flags = compressed ? BlockNode.COMPRESSED : 0;
        if (dice.nextInt(4) == 0) {
          byte tag = (byte) (120 + dice.nextInt(8));
          Workload.put(node, first, perCluster, tag, flags);
          Arrays.fill(firstTags, first, first + perCluster, tag);
        }
      }
    }
  }

  private void addBitmaps(MemoryNode file) throws BlockFault {
    try (Qcow2Node node = open(file, OpenMode.WRITE)) {
      node.keepBitmap(new NewBitmap("fine", DiskModel.SECTOR));
      node.keepBitmap(new NewBitmap("coarse", 8 * DiskModel.SECTOR));
    }
  }

  /**
   * A bitmap that is to be trusted tells of every sector that changed.
   *
   * @param held what the disk holds now
   * @return how many are to be trusted
   */
  int judgeBitmaps(Qcow2Node node, byte[] held) throws BlockFault {
    List<DirtyBitmap> found = node.dirtyBitmaps();
    if (found.size() != bitmaps && node.header().has(AutoclearFeature.BITMAPS)) {
      throw new AssertionError("there are %d bitmaps".formatted(found.size()));
    }
    int trusted = 0;
    for (DirtyBitmap bitmap : found) {
      trusted += bitmap.inconsistent() ? 0 : 1;
      for (int i = 0; i < firstTags.length && !bitmap.inconsistent(); i++) {
        if (held[i] != firstTags[i] && !bitmap.dirtyAt((long) i * DiskModel.SECTOR)) {
          throw new AssertionError("bitmap '%s' misses sector %d".formatted(bitmap.name(), i));
        }
      }
    }
    return trusted;
  }

  /** Nothing that is done to the disk reaches the snapshot. */
  void judgeSnapshot(MemoryNode image) throws BlockFault {
    if (!snapshot) {
      return;
    }
    try (Qcow2Node then = open(InternalSnapshot.revealed(image), OpenMode.READ)) {
      if (!Arrays.equals(Workload.tags(then), firstTags)) {
        throw new AssertionError("the snapshot has changed");
      }
    }
  }

  /** The image was closed, so that its bitmaps can be trusted again. */
  void requireBitmaps(MemoryNode image) throws BlockFault {
    if (bitmaps == 0) {
      return;
    }
    try (Qcow2Node node = open(image, OpenMode.READ)) {
      if (judgeBitmaps(node, Workload.tags(node)) != bitmaps) {
        throw new AssertionError("the closed image has bitmaps in use");
      }
    }
  }

  @Override
  public String toString() {
    return "snapshot %b, %d bitmaps".formatted(snapshot, bitmaps);
  }
}
