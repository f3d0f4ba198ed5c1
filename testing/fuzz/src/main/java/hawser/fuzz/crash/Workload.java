package hawser.fuzz.crash;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.Preallocation;
import hawser.block.format.qcow2.Qcow2Creator;
import hawser.block.format.qcow2.Qcow2Driver;
import hawser.block.format.qcow2.Qcow2Node;
import hawser.block.format.qcow2.Qcow2Options;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.testkit.node.MemoryNode;
import hawser.testkit.node.Operation;
import hawser.testkit.node.RecordingNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Random requests to a small image, all that reached its file, and what the model of the disk went
 * through meanwhile. Everything follows from the seed.
 */
final class Workload {
  /** Something that happened to the disk, between two counts of the file's operations. */
  record Step(int from, int to, Change change) {}

  /** What a step did to the model. */
  sealed interface Change {
    record Write(int first, int count, byte tag) implements Change {}

    record Discard(int first, List<Byte> tags) implements Change {}

    record Flush() implements Change {}

    record Grow(int sectors) implements Change {}
  }

  private final Random dice;
  private final Qcow2Options options;
  private final MemoryNode empty;
  private final @Nullable MemoryNode backing;
  private final @Nullable MemoryNode emptyData;
  private final RecordingNode recording;
  private final @Nullable RecordingNode recordingData;

  /** For each operation, whether it was one on the data file. */
  private final BitSet onData = new BitSet();

  private int count;
  private final DiskModel model;
  private final List<Step> steps = new ArrayList<>();
  private final byte[] firstTags;
  private final Companions companions;

  Workload(long seed, int requests) throws BlockFault {
    this.dice = new Random(seed);
    Qcow2Options shape = options(dice);
    boolean external = shape.version() == 3 && dice.nextInt(3) == 0;
    int sectors = (int) (shape.size() / DiskModel.SECTOR);
    this.firstTags = new byte[sectors];
    this.backing = dice.nextBoolean() ? backing(sectors * 2 / 3) : null;
    boolean raw = external && backing == null && dice.nextBoolean();
    this.options = external ? shape.withDataFile("data", raw) : shape;
    var file = new MemoryNode("image", 0);
    MemoryNode data = external ? new MemoryNode("data", 0) : null;
    Qcow2Creator.create(options, file, data);
    this.companions =
        external
            ? Companions.none(options)
            : Companions.join(file, options, backing, firstTags, dice);
    this.empty = file.copy();
    this.emptyData = copyOf(data);
    this.recording = new RecordingNode(file, () -> count++);
    this.recordingData = data == null ? null : new RecordingNode(data, () -> onData.set(count++));
    this.model = new DiskModel(firstTags);
    work(requests);
  }

  /** The shape of a small image, as chance has it. */
  static Qcow2Options options(Random dice) {
    int cluster = 512 << dice.nextInt(4);
    boolean v3 = dice.nextInt(4) > 0;
    boolean extended = v3 && dice.nextInt(4) == 0;
    if (extended) {
      cluster = 16384;
    }
    // A table of wide refcounts in small clusters is full soon and has to move.
    long width = v3 ? 1L << dice.nextInt(7) : 16;
    long size = extended ? 12L * cluster + 1024 : (40L + dice.nextInt(200)) * cluster + 512;
    return Qcow2Options.of(size)
        .withVersion(v3 ? 3 : 2, width)
        .withClusterBytes(cluster)
        .withExtendedL2(extended)
        .withLazyRefcounts(v3 && dice.nextInt(4) == 0)
        .withCompressionType(v3 && dice.nextBoolean() ? Qcow2Header.ZSTD : Qcow2Header.DEFLATE);
  }

  private MemoryNode backing(int sectors) throws BlockFault {
    var node = new MemoryNode("backing", (long) sectors * DiskModel.SECTOR);
    for (int i = 0; i < sectors; i++) {
      firstTags[i] = (byte) (100 + dice.nextInt(20));
      put(node, i, 1, firstTags[i], 0);
    }
    return node;
  }

  private Qcow2Node open() throws BlockFault {
    OpenMode mode = OpenMode.WRITE.withUnmap(true);
    var runtime = new Options().put("l2-cache-size", Json.of(1024));
    return Qcow2Driver.openOver(
        recording, recordingData, copyOf(backing), runtime, mode, text -> {});
  }

  static void put(BlockNode node, int first, int count, byte tag, int flags) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate((long) count * DiskModel.SECTOR).fill(tag);
      node.write(data, (long) first * DiskModel.SECTOR, flags);
    }
  }

  /** The tag of a sector; a sector that is not filled with one byte fails. */
  static byte get(BlockNode node, int sector) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(DiskModel.SECTOR);
      node.read(data, (long) sector * DiskModel.SECTOR);
      byte tag = data.get(ValueLayout.JAVA_BYTE, 0);
      MemorySegment uniform = arena.allocate(DiskModel.SECTOR).fill(tag);
      if (data.mismatch(uniform) != -1) {
        throw new AssertionError("sector " + sector + " holds a mixture");
      }
      return tag;
    }
  }

  /** The tags of all whole sectors; one that is not filled with one byte fails. */
  static byte[] tags(BlockNode node) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      byte[] tags = new byte[(int) (node.length() / DiskModel.SECTOR)];
      MemorySegment data = arena.allocate((long) tags.length * DiskModel.SECTOR);
      node.read(data, 0);
      for (int i = 0; i < tags.length; i++) {
        MemorySegment sector = data.asSlice((long) i * DiskModel.SECTOR, DiskModel.SECTOR);
        tags[i] = sector.get(ValueLayout.JAVA_BYTE, 0);
        // Each byte is the same as the one before it.
        if (sector.asSlice(1).mismatch(sector.asSlice(0, DiskModel.SECTOR - 1)) != -1) {
          throw new AssertionError("sector " + i + " holds a mixture");
        }
      }
      return tags;
    }
  }

  private void work(int requests) throws BlockFault {
    try (Qcow2Node node = open()) {
      for (int i = 0; i < requests; i++) {
        int from = count;
        Change change = request(node, (byte) (1 + i % 90));
        steps.add(new Step(from, count, change));
      }
    }
    steps.add(new Step(count, count, new Change.Flush()));
  }

  static @Nullable MemoryNode copyOf(@Nullable MemoryNode node) {
    return node == null ? null : node.copy();
  }

  private Change request(Qcow2Node node, byte tag) throws BlockFault {
    int first = dice.nextInt(model.sectors());
    int count = 1 + dice.nextInt(Math.min(24, model.sectors() - first));
    long at = (long) first * DiskModel.SECTOR;
    long bytes = (long) count * DiskModel.SECTOR;
    return switch (dice.nextInt(12)) {
      case 0, 1 -> {
        node.flush();
        yield new Change.Flush();
      }
      case 2 -> {
        node.writeZeroes(at, bytes, dice.nextBoolean() ? BlockNode.MAY_UNMAP : 0);
        yield written(new Change.Write(first, count, (byte) 0));
      }
      case 3 -> discard(node, first, count);
      case 4, 5 -> compress(node, first, tag);
      case 6 -> dice.nextInt(6) == 0 ? grow(node) : plain(node, first, count, tag);
      default -> plain(node, first, count, tag);
    };
  }

  private Change plain(Qcow2Node node, int first, int count, byte tag) throws BlockFault {
    put(node, first, count, tag, 0);
    return written(new Change.Write(first, count, tag));
  }

  private Change.Write written(Change.Write write) {
    model.write(write.first, write.count, write.tag);
    return write;
  }

  private Change discard(Qcow2Node node, int first, int count) throws BlockFault {
    node.discard((long) first * DiskModel.SECTOR, (long) count * DiskModel.SECTOR);
    var tags = new ArrayList<Byte>();
    for (int i = first; i < first + count; i++) {
      byte tag = get(node, i);
      if (tag != 0 && tag != model.current(i)) {
        throw new AssertionError("discarded sector " + i + " holds " + tag);
      }
      tags.add(tag);
      model.discarded(i, tag);
    }
    return new Change.Discard(first, tags);
  }

  private Change compress(Qcow2Node node, int near, byte tag) throws BlockFault {
    int perCluster = (int) (options.clusterBytes() / DiskModel.SECTOR);
    int first = near / perCluster * perCluster;
    int count = Math.min(perCluster, model.sectors() - first);
    var extent = node.extent((long) first * DiskModel.SECTOR, (long) count * DiskModel.SECTOR);
    boolean stored = extent.depth() == 0 && extent.kind().allocated() && extent.hostOffset() >= 0;
    if (stored
        || emptyData != null
        || extent.kind() == hawser.block.Extent.Kind.COMPRESSED
        || extent.length() < (long) count * DiskModel.SECTOR) {
      return plain(node, first, count, tag);
    }
    put(node, first, count, tag, BlockNode.COMPRESSED);
    return written(new Change.Write(first, count, tag));
  }

  private Change grow(Qcow2Node node) throws BlockFault {
    int sectors = model.sectors() + 1 + dice.nextInt(400);
    node.resize((long) sectors * DiskModel.SECTOR, Preallocation.OFF);
    model.grow(sectors);
    return new Change.Grow(sectors);
  }

  Companions companions() {
    return companions;
  }

  Qcow2Options shape() {
    return options;
  }

  /** How many operations there were on both files. */
  int count() {
    return count;
  }

  /** Whether an operation was one on the data file; they are counted from 0. */
  boolean onData(int operation) {
    return onData.get(operation);
  }

  List<Operation> operations() {
    return recording.operations();
  }

  List<Operation> dataOperations() {
    return recordingData == null ? List.of() : recordingData.operations();
  }

  @Nullable MemoryNode emptyData() {
    return emptyData;
  }

  List<Step> steps() {
    return steps;
  }

  MemoryNode empty() {
    return empty;
  }

  @Nullable MemoryNode backing() {
    return backing;
  }

  byte[] firstTags() {
    return firstTags.clone();
  }
}
