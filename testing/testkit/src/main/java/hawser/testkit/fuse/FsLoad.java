package hawser.testkit.fuse;

import hawser.base.BlockFault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A load for benchmarks of virtio-fs servers: {@code FsLoad SOCKET WORK [NUMBER]...} prints how
 * often per second it was done. The works:
 *
 * <ul>
 *   <li>{@code randread|randwrite|read|write BYTES DEPTH SECONDS}: of a file of 256 MiB
 *   <li>{@code files COUNT}: creates, looks at, lists and unlinks; four numbers
 *   <li>{@code mixed QUEUES DEPTH SECONDS}: reads, writes, attributes and names on each queue
 *   <li>{@code tree COUNT}: looks up so many files of folders made before, then waits for a line
 *   <li>{@code make COUNT}: makes those folders
 * </ul>
 */
public final class FsLoad {
  private static final long FILE_BYTES = 256 << 20;
  private static final int PIECE_BYTES = 64 << 10;
  private static final int FILES_IN_FOLDER = 1000;
  private static final int LISTING_ROOM = 32 << 10;
  private static final int KNOWN_MAX = 1000;

  /** Servers are measured once their hot code is compiled. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  private FsLoad() {}

  /** Does one work. */
  public static void main(String[] args) throws Exception {
    Path socket = Path.of(args[0]);
    int[] numbers = new int[args.length - 2];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Integer.parseInt(args[i + 2]);
    }
    switch (args[1]) {
      case "randread" -> transfer(socket, new Transfers.Kind(false, true), numbers);
      case "randwrite" -> transfer(socket, new Transfers.Kind(true, true), numbers);
      case "read" -> transfer(socket, new Transfers.Kind(false, false), numbers);
      case "write" -> transfer(socket, new Transfers.Kind(true, false), numbers);
      case "files" -> files(socket, numbers[0]);
      case "mixed" -> mixed(socket, numbers[0], numbers[1], numbers[2]);
      case "make" -> make(socket, numbers[0]);
      case "tree" -> tree(socket, numbers[0]);
      default -> throw new IllegalArgumentException(args[1]);
    }
  }

  /**
   * A file full of something, in short pieces: where the kernel has a file in large ones, ext4
   * walks through all blocks of one for each 4k that is written into it, whoever writes.
   */
  private static Transfers.Target target(FuseOperations fuse, String name) {
    Answer made = fuse.create(FuseOperations.ROOT_NODE, name, 2, 0644, 0);
    Answer.Created file = made.created();
    long node = file.entry().node();
    long handle = file.opened().handle();
    if (file.entry().attributes().size() < FILE_BYTES) {
      byte[] content = new byte[PIECE_BYTES];
      new Random(1).nextBytes(content);
      for (long at = 0; at < FILE_BYTES; at += content.length) {
        fuse.write(node, handle, at, content).ok();
      }
    }
    return new Transfers.Target(node, handle, FILE_BYTES);
  }

  private static void transfer(Path socket, Transfers.Kind kind, int[] numbers) throws BlockFault {
    int bytes = numbers[0];
    int depth = numbers[1];
    long nanos = numbers[2] * 1_000_000_000L;
    try (FuseClient client = FuseClient.connect(socket, 1, Math.max(depth, FuseClient.SLOTS))) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      var transfers = new Transfers(fuse.queue().ring(), target(fuse, "file"), kind, bytes, depth);
      transfers.run(WARM_UP_NANOS);
      long began = System.nanoTime();
      long done = transfers.run(nanos);
      print(done, began);
    }
  }

  private static void print(long done, long began) {
    System.out.printf("%.0f%n", done * 1e9 / (System.nanoTime() - began));
  }

  private static void files(Path socket, int count) throws BlockFault {
    try (FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      // The first round is for the compilers on both sides.
      round(fuse, Math.min(count, 5000), false);
      round(fuse, count, true);
    }
  }

  private static void round(FuseOperations fuse, int count, boolean print) {
    long folder = fuse.mkdir(FuseOperations.ROOT_NODE, "files", 0755, 0).entry().node();
    String[] names = new String[count];
    var known = new ArrayList<Long>();
    long began = System.nanoTime();
    for (int i = 0; i < count; i++) {
      names[i] = "file-%06d".formatted(i);
      Answer.Created file = fuse.create(folder, names[i], 1, 0644, 0).created();
      fuse.release(file.entry().node(), file.opened().handle()).ok();
      know(fuse, known, file.entry());
    }
    tell(print, count, began);
    began = System.nanoTime();
    for (String name : names) {
      Entry found = fuse.lookup(folder, name).entry();
      fuse.getattr(found.node()).ok();
      know(fuse, known, found);
    }
    fuse.forgetAll(known);
    tell(print, count, began);
    began = System.nanoTime();
    int listed = list(fuse, folder);
    tell(print, listed, began);
    began = System.nanoTime();
    for (String name : names) {
      fuse.unlink(folder, name).ok();
    }
    tell(print, count, began);
    fuse.rmdir(FuseOperations.ROOT_NODE, "files").ok();
    fuse.forget(folder, 1);
  }

  private static void tell(boolean print, long done, long began) {
    if (print) {
      print(done, began);
    }
  }

  /** A guest knows some files at a time, so that servers may keep a descriptor for each. */
  private static void know(FuseOperations fuse, List<Long> known, Entry file) {
    known.add(file.node());
    if (known.size() == KNOWN_MAX) {
      fuse.forgetAll(known);
      known.clear();
    }
  }

  /** Lists a folder with attributes, and forgets what it found. */
  private static int list(FuseOperations fuse, long folder) {
    long handle = fuse.opendir(folder).opened().handle();
    int count = 0;
    long offset = 0;
    List<Answer.Dirent> some = fuse.readdirplus(folder, handle, offset, LISTING_ROOM).listingPlus();
    while (!some.isEmpty()) {
      count += some.size();
      offset = some.getLast().offset();
      var known = new ArrayList<Long>();
      for (Answer.Dirent one : some) {
        if (one.entry() != null && one.entry().node() > 1) {
          known.add(one.entry().node());
        }
      }
      fuse.forgetAll(known);
      some = fuse.readdirplus(folder, handle, offset, LISTING_ROOM).listingPlus();
    }
    fuse.releasedir(folder, handle).ok();
    return count;
  }

  private static void mixed(Path socket, int queues, int depth, int seconds) throws Exception {
    try (FuseClient client = FuseClient.connect(socket, queues, depth);
        var threads = Executors.newFixedThreadPool(queues)) {
      client.operations().init().ok();
      var works = new ArrayList<Mixture>();
      for (int i = 0; i < queues; i++) {
        FuseOperations fuse = client.operations(i, Caller.ROOT);
        works.add(new Mixture(fuse.queue().ring(), target(fuse, "file-" + i), i, depth));
      }
      long nanos = seconds * 1_000_000_000L;
      all(threads.invokeAll(works.stream().map(one -> run(one, WARM_UP_NANOS)).toList()));
      long began = System.nanoTime();
      print(all(threads.invokeAll(works.stream().map(one -> run(one, nanos)).toList())), began);
    }
  }

  private static Callable<Long> run(Mixture work, long nanos) {
    return () -> work.run(nanos);
  }

  private static long all(List<Future<Long>> works)
      throws InterruptedException, ExecutionException {
    long sum = 0;
    for (Future<Long> work : works) {
      sum += work.get();
    }
    return sum;
  }

  private static void make(Path socket, int count) throws BlockFault {
    try (FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      for (int made = 0; made < count; made += FILES_IN_FOLDER) {
        String name = "tree-" + made;
        long folder = fuse.mkdir(FuseOperations.ROOT_NODE, name, 0755, 0).entry().node();
        for (int i = 0; i < FILES_IN_FOLDER; i++) {
          fuse.mknod(folder, "f" + i, 0100644, 0, 0).ok();
        }
      }
    }
  }

  private static void tree(Path socket, int count) throws Exception {
    try (FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      long began = System.nanoTime();
      for (int made = 0; made < count; made += FILES_IN_FOLDER) {
        long folder = fuse.lookup(FuseOperations.ROOT_NODE, "tree-" + made).entry().node();
        for (int i = 0; i < FILES_IN_FOLDER; i++) {
          fuse.lookup(folder, "f" + i).entry();
        }
      }
      print(count, began);
      System.out.flush();
      int _ = System.in.read();
    }
  }
}
