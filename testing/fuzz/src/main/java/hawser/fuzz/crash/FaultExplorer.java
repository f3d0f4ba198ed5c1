package hawser.fuzz.crash;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.CheckReport;
import hawser.block.Extent;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.Preallocation;
import hawser.block.format.qcow2.Qcow2Creator;
import hawser.block.format.qcow2.Qcow2Driver;
import hawser.block.format.qcow2.Qcow2Node;
import hawser.block.format.qcow2.Qcow2Options;
import hawser.block.format.qcow2.check.CheckLimits;
import hawser.block.format.qcow2.check.Qcow2Check;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.testkit.node.MemoryNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Does the same work on an image over and over, and lets each request to its file fail in turn.
 * After a failure the disk reads what was acknowledged; the file, as a crash now would leave it,
 * has no corruption and all that was flushed; the request succeeds when it is repeated; the rest of
 * the work succeeds; and the closed image has no corruption and every byte. An internal snapshot
 * stays as it was, and persistent bitmaps tell of every change or say that they cannot.
 */
public final class FaultExplorer {
  private static final CheckLimits LIMITS = new CheckLimits(64L << 20, 1);

  /**
   * A disk whose refcount table is nearly full after {@link #FILLED_SECTORS}, in clusters of a
   * sector: 64 entries of 64 clusters each.
   */
  private static final int FULL_BYTES = 3 << 20;

  private static final int FILLED_SECTORS = 3900;
  private static final byte FILLING = 99;

  /** The time of a workload grows with its square; many shapes find more than long work. */
  private static final int REQUESTS = 16;

  /** One request to the disk, in sectors. */
  private record Request(Kind kind, int first, int count, byte tag, int flags) {
    int end() {
      return first + count;
    }
  }

  private enum Kind {
    WRITE,
    ZERO,
    DISCARD,
    COMPRESS,
    FLUSH,
    GROW
  }

  private final Qcow2Options shape;
  private final byte[] tags;
  private final MemoryNode empty;
  private final @Nullable MemoryNode backing;
  private final Companions companions;
  private final List<Request> work = new ArrayList<>();
  private final Consumer<MemoryNode> sample;
  private final Set<BlkdebugEvent> events = EnumSet.noneOf(BlkdebugEvent.class);

  private FaultExplorer(long seed, int requests, Consumer<MemoryNode> sample) throws BlockFault {
    var dice = new Random(seed);
    boolean full = seed % 4 == 3;
    this.shape =
        full
            ? Qcow2Options.of(FULL_BYTES).withVersion(3, 64).withClusterBytes(DiskModel.SECTOR)
            : Workload.options(dice);
    this.sample = sample;
    this.tags = new byte[(int) (shape.size() / DiskModel.SECTOR)];
    this.backing = !full && dice.nextBoolean() ? backing(dice) : null;
    this.empty = new MemoryNode("image", 0);
    Qcow2Creator.create(shape, empty, null);
    if (full) {
      fill();
    }
    this.companions =
        full ? Companions.none(shape) : Companions.join(empty, shape, backing, tags, dice);
    int sectors = tags.length;
    for (int i = 0; i < requests; i++) {
      Request request = request(dice, sectors, (byte) (1 + i % 90));
      work.add(request);
      sectors = request.kind == Kind.GROW ? request.count : sectors;
    }
  }

  private void fill() throws BlockFault {
    try (Qcow2Node node = open(empty, OpenMode.WRITE)) {
      Workload.put(node, 0, FILLED_SECTORS, FILLING, 0);
    }
    Arrays.fill(tags, 0, FILLED_SECTORS, FILLING);
  }

  private MemoryNode backing(Random dice) throws BlockFault {
    int sectors = tags.length * 2 / 3;
    var node = new MemoryNode("backing", (long) sectors * DiskModel.SECTOR);
    for (int i = 0; i < sectors; i++) {
      tags[i] = (byte) (100 + dice.nextInt(20));
      Workload.put(node, i, 1, tags[i], 0);
    }
    return node;
  }

  private Request request(Random dice, int sectors, byte tag) {
    int first = dice.nextInt(sectors);
    int count = 1 + dice.nextInt(Math.min(24, sectors - first));
    return switch (dice.nextInt(12)) {
      case 0, 1 -> new Request(Kind.FLUSH, 0, 0, tag, 0);
      case 2 ->
          new Request(
              Kind.ZERO, first, count, (byte) 0, dice.nextBoolean() ? BlockNode.MAY_UNMAP : 0);
      case 3 -> new Request(Kind.DISCARD, first, count, (byte) 0, 0);
      case 4, 5 -> compressed(first, sectors, tag);
      case 6 ->
          dice.nextInt(3) == 0
              ? new Request(Kind.GROW, 0, sectors + 1 + dice.nextInt(400), (byte) 0, 0)
              : new Request(Kind.WRITE, first, count, tag, BlockNode.FUA);
      default -> new Request(Kind.WRITE, first, count, tag, 0);
    };
  }

  private Request compressed(int near, int sectors, byte tag) {
    int perCluster = (int) (shape.clusterBytes() / DiskModel.SECTOR);
    int first = near / perCluster * perCluster;
    return new Request(Kind.COMPRESS, first, Math.min(perCluster, sectors - first), tag, 0);
  }

  /**
   * Explores one workload.
   *
   * @param seed what the workload follows from
   * @param requests how many it consists of
   * @param sample gets some of the closed images
   * @return the events during which a request has failed
   * @throws AssertionError when something is lost or corrupt; names the seed and the request
   */
  public static Set<BlkdebugEvent> explore(long seed, int requests, Consumer<MemoryNode> sample)
      throws BlockFault {
    var explorer = new FaultExplorer(seed, requests, sample);
    for (Errno errno : new Errno[] {Errno.EIO, Errno.ENOSPC}) {
      boolean lasting = errno == Errno.ENOSPC;
      long number = 0;
      while (explorer.run(seed, number, errno, lasting)) {
        number++;
      }
    }
    return explorer.events;
  }

  /** Does the work with one failure; false when it was over before that number. */
  private boolean run(long seed, long number, Errno errno, boolean lasting) throws BlockFault {
    var file = empty.copy();
    var failing = new FailingNode(file, errno, lasting);
    var model = new DiskModel(tags);
    String what =
        "seed %d, %s, %s, request %d: %s".formatted(seed, shape, companions, number, errno);
    try {
      Qcow2Node node = open(failing, OpenMode.WRITE.withUnmap(true));
      failing.failAt(failing.requests() + number);
      for (Request request : work) {
        if (request.kind != Kind.GROW && request.end() > node.length() / DiskModel.SECTOR) {
          // Drawn for a disk that a failed request did not make.
          continue;
        }
        if (!attempt(node, request, model)) {
          if (!failing.failed()) {
            throw new AssertionError("failed, though the file did not: " + request);
          }
          failing.heal();
          remember(model, request);
          requireSafe(file.copy(), model);
          requireAcknowledged(node, model, request);
          if (number % 3 == 0) {
            acceptAsItIs(node, model, request);
          } else if (!attempt(node, request, model)) {
            throw new AssertionError("does not succeed when repeated: " + request);
          }
        } else if (failing.failed()) {
          // Something that may be left out, as the return of room is; or told by a later request.
          failing.heal();
        }
      }
      boolean closed = close(node, failing);
      events.addAll(failing.events());
      model.flush();
      requireSound(file, model, closed);
      if (number % 97 == 0 && closed) {
        sample.accept(file);
      }
    } catch (AssertionError | BlockFault e) {
      throw new AssertionError(what + ": " + e.getMessage(), e);
    }
    return failing.reached();
  }

  /** False when closing failed, which it may do for the injected reason alone. */
  private static boolean close(Qcow2Node node, FailingNode failing) throws BlockFault {
    try {
      node.close();
      return true;
    } catch (BlockFault fault) {
      if (!failing.failed()) {
        throw fault;
      }
      return false;
    }
  }

  private Qcow2Node open(BlockNode file, OpenMode mode) throws BlockFault {
    // A cache of one slice, so that tables are written and loaded all the time.
    var runtime = new Options().put("l2-cache-size", Json.of(1024));
    return Qcow2Driver.openOver(file, null, Workload.copyOf(backing), runtime, mode, text -> {});
  }

  /** Does a request and tells the model; false when it failed. */
  private boolean attempt(Qcow2Node node, Request request, DiskModel model) {
    try {
      perform(node, request, model);
      return true;
    } catch (BlockFault fault) {
      return false;
    }
  }

  private void perform(Qcow2Node node, Request request, DiskModel model) throws BlockFault {
    long at = (long) request.first * DiskModel.SECTOR;
    long bytes = (long) request.count * DiskModel.SECTOR;
    switch (request.kind) {
      case WRITE, COMPRESS -> {
        int flags = request.flags | (request.kind == Kind.COMPRESS ? compress(node, at, bytes) : 0);
        Workload.put(node, request.first, request.count, request.tag, flags);
        model.write(request.first, request.count, request.tag);
        if ((flags & BlockNode.FUA) != 0) {
          model.flush();
        }
      }
      case ZERO -> {
        node.writeZeroes(at, bytes, request.flags);
        model.write(request.first, request.count, (byte) 0);
      }
      case DISCARD -> discard(node, request, model);
      case FLUSH -> {
        node.flush();
        model.flush();
      }
      case GROW -> {
        node.resize(bytes, Preallocation.OFF);
        model.grow(request.count);
      }
    }
  }

  private static void discard(Qcow2Node node, Request request, DiskModel model) throws BlockFault {
    node.discard((long) request.first * DiskModel.SECTOR, (long) request.count * DiskModel.SECTOR);
    for (int i = request.first; i < request.end(); i++) {
      byte tag = Workload.get(node, i);
      if (tag != 0 && tag != model.current(i)) {
        throw new AssertionError("discarded sector " + i + " holds " + tag);
      }
      model.discarded(i, tag);
    }
  }

  /** Whether the cluster can be written compressed: only one that has no place yet. */
  private static int compress(Qcow2Node node, long at, long bytes) throws BlockFault {
    Extent extent = node.extent(at, bytes);
    boolean stored = extent.depth() == 0 && extent.kind().allocated() && extent.hostOffset() >= 0;
    boolean free = !stored && extent.kind() != Extent.Kind.COMPRESSED && extent.length() == bytes;
    return free ? BlockNode.COMPRESSED : 0;
  }

  /** The failed request may have been done in part. */
  private static void remember(DiskModel model, Request request) {
    switch (request.kind) {
      case FLUSH -> {}
      case GROW -> model.grow(request.count);
      case WRITE, ZERO, COMPRESS, DISCARD -> {
        for (int i = request.first; i < request.end(); i++) {
          model.allow(i, request.tag);
          model.allow(i, (byte) 0);
        }
      }
    }
  }

  /** A crash now would not corrupt the image, nor lose what was flushed. */
  private void requireSafe(MemoryNode image, DiskModel model) throws BlockFault {
    requireNoCorruption(image);
    try (Qcow2Node node = open(image, OpenMode.READ)) {
      byte[] held = Workload.tags(node);
      for (int i = 0; i < held.length; i++) {
        byte tag = held[i];
        if (!model.allows(i, tag)) {
          throw new AssertionError(
              "a crash leaves %d in sector %d, not %s".formatted(tag, i, model.allowed(i)));
        }
      }
      companions.judgeBitmaps(node, held);
    }
    companions.judgeSnapshot(image);
  }

  /** The request is not repeated: what it left is what the disk holds from now on. */
  private static void acceptAsItIs(Qcow2Node node, DiskModel model, Request request)
      throws BlockFault {
    if (request.kind != Kind.FLUSH && request.kind != Kind.GROW) {
      for (int i = request.first; i < request.end(); i++) {
        model.write(i, 1, Workload.get(node, i));
      }
    }
  }

  private static void requireAcknowledged(Qcow2Node node, DiskModel model, Request failed)
      throws BlockFault {
    byte[] held = Workload.tags(node);
    for (int i = 0; i < held.length; i++) {
      byte tag = held[i];
      boolean touched =
          failed.kind != Kind.FLUSH
              && failed.kind != Kind.GROW
              && i >= failed.first
              && i < failed.end();
      if (tag != model.current(i) && !(touched && (tag == failed.tag || tag == 0))) {
        throw new AssertionError(
            "after %s sector %d holds %d, not %d".formatted(failed, i, tag, model.current(i)));
      }
    }
  }

  private void requireNoCorruption(MemoryNode image) throws BlockFault {
    if (Qcow2Header.read(image).has(IncompatibleFeature.DIRTY)) {
      open(image, OpenMode.WRITE).close();
    }
    var lines = new ArrayList<String>();
    CheckReport report = Qcow2Check.run(image.copy(), lines::add, LIMITS);
    if (report.corruptions() != 0 || report.checkErrors() != 0) {
      throw new AssertionError("the image is corrupt: " + lines.stream().limit(3).toList());
    }
  }

  /** The image is sound; when it was closed well, every byte is there. */
  private void requireSound(MemoryNode image, DiskModel model, boolean closed) throws BlockFault {
    requireNoCorruption(image);
    if (!closed) {
      return;
    }
    try (Qcow2Node node = open(image.copy(), OpenMode.READ)) {
      byte[] held = Workload.tags(node);
      for (int i = 0; i < held.length; i++) {
        if (held[i] != model.current(i)) {
          throw new AssertionError("sector " + i + " was lost");
        }
      }
    }
    companions.judgeSnapshot(image);
    companions.requireBitmaps(image.copy());
  }

  /**
   * Explores workloads one after the other until one fails or the time is over.
   *
   * @param args the seed to begin with, and for how many seconds
   */
  public static void main(String[] args) throws BlockFault {
    long seed = Long.parseLong(args[0]);
    long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    long workloads = 0;
    var met = EnumSet.noneOf(BlkdebugEvent.class);
    do {
      met.addAll(explore(seed + workloads, REQUESTS, image -> {}));
      workloads++;
    } while (System.nanoTime() - end < 0);
    System.out.println(
        "fuzz faults: %d workloads from seed %d, errors at %d events, nothing lost"
            .formatted(workloads, seed, met.size()));
  }
}
