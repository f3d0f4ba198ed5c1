package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Caller;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.FuseQueue;
import hawser.testkit.fuse.FuseRing;
import hawser.testkit.fuse.Opcode;
import hawser.testkit.fuse.Request;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Guests that break the rules get errors, and the next request is served. virtiofsd ends at many of
 * these ("HandleRequest(InvalidMessage)"), so that most are for ours alone.
 */
class HostileRequestsTest {
  private static final int ENOENT = 2;
  private static final int EBADF = 9;
  private static final int EINVAL = 22;
  private static final int ENAMETOOLONG = 36;
  private static final int ENOSYS = 38;
  private static final int ROOM = 8192;

  @TempDir Path temp;
  private Path shared;
  private Path socket;

  @BeforeEach
  void makeFolder() throws Exception {
    shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("greeting"), "hello");
    Files.writeString(temp.resolve("secret"), "not shared");
    Files.createDirectory(shared.resolve("folder"));
    socket = temp.resolve("s");
  }

  private static FuseOperations begin(FuseClient client) {
    FuseOperations fuse = client.operations();
    fuse.init().ok();
    return fuse;
  }

  private static void assertServes(FuseOperations fuse) {
    Answer.Opened opened = fuse.open(fuse.walk("greeting"), 0).opened();
    assertThat(fuse.read(fuse.walk("greeting"), opened.handle(), 0, 10).text()).isEqualTo("hello");
    fuse.release(fuse.walk("greeting"), opened.handle()).ok();
  }

  @Test
  void namesThatAreNoNames() throws Exception {
    // virtiofsd looks up whole paths, within the shared folder.
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      long folder = fuse.walk("folder");
      for (String name : new String[] {"../secret", "/etc/passwd", "folder/../greeting", "a/b"}) {
        assertThat(fuse.lookup(1, name).error()).as("lookup %s", name).isEqualTo(EINVAL);
        assertThat(fuse.mkdir(folder, name, 0755, 0).error()).isEqualTo(EINVAL);
        assertThat(fuse.create(folder, name, 2, 0644, 0).error()).isEqualTo(EINVAL);
        assertThat(fuse.unlink(folder, name).error()).isEqualTo(EINVAL);
        assertThat(fuse.rename(1, "greeting", folder, name).error()).isEqualTo(EINVAL);
        assertThat(fuse.symlink(folder, name, "x").error()).isEqualTo(EINVAL);
      }
      String longest = "n".repeat(255);
      assertThat(fuse.lookup(1, longest).error()).isEqualTo(ENOENT);
      assertThat(fuse.lookup(1, longest + "n").error()).isEqualTo(ENAMETOOLONG);
      assertServes(fuse);
    }
  }

  @ParameterizedTest
  @EnumSource
  void dotsNeverLeadOut(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      long root = fuse.getattr(1).attributes().inode();
      Answer above = fuse.lookup(1, "..");
      assertThat(above.error() != 0 || above.entry().attributes().inode() == root).isTrue();
      for (String name : new String[] {"..", "."}) {
        assertThat(fuse.mkdir(1, name, 0755, 0).error()).isNotZero();
        assertThat(fuse.create(1, name, 2, 0644, 0).error()).isNotZero();
        assertThat(fuse.unlink(1, name).error()).isNotZero();
        assertThat(fuse.rmdir(1, name).error()).isNotZero();
        assertThat(fuse.rename(1, "greeting", 1, name).error()).isNotZero();
        assertThat(fuse.rename(1, name, 1, "moved").error()).isNotZero();
      }
      assertServes(fuse);
    }
  }

  @ParameterizedTest
  @EnumSource
  void unknownOperations(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      for (int opcode : new int[] {0, 7, 19, 53, 99, 4096, -1, Integer.MAX_VALUE}) {
        Answer answer = fuse.queue().call(new Request(opcode, 1).u64(0).u64(0), ROOM);
        assertThat(answer.error()).as("opcode %d", opcode).isEqualTo(ENOSYS);
      }
      assertServes(fuse);
    }
  }

  @ParameterizedTest
  @EnumSource
  void nodesAndHandlesOfNobody(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      for (long wrong : new long[] {0, 2_000_000, -1, Long.MIN_VALUE}) {
        assertThat(fuse.getattr(wrong).error()).isEqualTo(EBADF);
        assertThat(fuse.lookup(wrong, "greeting").error()).isEqualTo(EBADF);
        assertThat(fuse.open(wrong, 0).error()).isEqualTo(EBADF);
        assertThat(fuse.read(1, wrong, 0, 10).error()).isEqualTo(EBADF);
        assertThat(fuse.write(1, wrong, 0, new byte[10]).error()).isEqualTo(EBADF);
        assertThat(fuse.readdir(1, wrong, 0, 4096).error()).isEqualTo(EBADF);
        assertThat(fuse.rename(1, "greeting", wrong, "x").error()).isEqualTo(EBADF);
        assertThat(fuse.link(wrong, 1, "x").error()).isEqualTo(EBADF);
        fuse.forget(wrong, Long.MAX_VALUE);
      }
      assertServes(fuse);
    }
  }

  /**
   * With ALLOW_IDMAP a kernel names nobody where nothing is made; to the host -1 is "as before".
   */
  @Test
  void whatIsMadeBelongsToSomebody() throws Exception {
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      client.operations().init(42, -1L).ok();
      for (Caller nobody : List.of(new Caller(-1, 0, 1), new Caller(0, -1, 1))) {
        FuseOperations fuse = client.operations(0, nobody);
        assertThat(fuse.mkdir(ROOT_NODE, "made", 0755, 0).error()).isEqualTo(EINVAL);
        assertThat(fuse.create(ROOT_NODE, "made", 1, 0644, 0).error()).isEqualTo(EINVAL);
        assertThat(fuse.lookup(ROOT_NODE, "made").error()).isEqualTo(ENOENT);
        fuse.getattr(ROOT_NODE).ok();
      }
      assertServes(client.operations());
    }
  }

  @Test
  void theSharedFolderIsNotForgotten() throws Exception {
    // virtiofsd has no shared folder any more after that.
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      fuse.forget(1, Long.MAX_VALUE);
      assertServes(fuse);
    }
  }

  @Test
  void everyOperationCutAtEveryLength() throws Exception {
    try (Peer daemon = FsBackEnd.HAWSER.serve(shared, socket, "--xattr", "--posix-lock");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      FuseQueue queue = client.queue(0);
      long unique = 1_000_001;
      for (int opcode = 1; opcode <= Opcode.STATX; opcode++) {
        if (opcode == Opcode.DESTROY || opcode == Opcode.INIT || opcode == Opcode.SETLKW) {
          continue;
        }
        for (int bytes = 0; bytes <= 104; bytes += bytes < 40 ? 13 : 1) {
          byte[] request = new byte[40 + bytes];
          header(request, opcode, unique);
          for (int i = 40; i < request.length; i++) {
            request[i] = 1;
          }
          queue.await(queue.send(unique, request, 80, ROOM));
          unique += 2;
        }
      }
      assertThat(shared).isDirectoryNotContaining(path -> path.toString().contains("secret"));
      fuse.init().ok();
      assertServes(fuse);
      assertThat(daemon.process().isAlive()).isTrue();
    }
  }

  private static void header(byte[] request, int opcode, long unique) {
    var out = java.nio.ByteBuffer.wrap(request).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    out.putInt(request.length).putInt(opcode).putLong(unique).putLong(1);
  }

  @Test
  void lengthsThatAreNotTrue() throws Exception {
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      FuseQueue queue = client.queue(0);
      for (int lie : new int[] {1, 40, 1 << 20, Integer.MAX_VALUE - 100, -45, -60, -1000}) {
        Request request = new Request(Opcode.LOOKUP, 1).name("greeting").lying(lie);
        assertThat(queue.call(request, ROOM).error()).as("%d bytes more", lie).isEqualTo(EINVAL);
      }
      for (int bytes = 0; bytes < 40; bytes += 3) {
        byte[] some = new byte[bytes];
        if (bytes > 0) {
          queue.await(queue.send(0, some, 80, ROOM));
        }
      }
      assertServes(fuse);
    }
  }

  @Test
  void sizesThatAreNotTrue() throws Exception {
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket, "--xattr");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      FuseQueue queue = client.queue(0);
      long node = fuse.walk("greeting");
      long handle = fuse.open(node, 2).opened().handle();
      for (int size : new int[] {8193, 1 << 20, Integer.MAX_VALUE, -1}) {
        assertThat(queue.call(transfer(Opcode.READ, node, handle, size), 4096).error())
            .isEqualTo(EINVAL);
        assertThat(queue.call(transfer(Opcode.WRITE, node, handle, size), 4096).error())
            .isEqualTo(EINVAL);
        assertThat(queue.call(new Request(Opcode.SETXATTR, node).u32(size).u32(0).u64(0), 64))
            .extracting(Answer::error)
            .isEqualTo(EINVAL);
        queue.call(new Request(Opcode.GETXATTR, node).u32(size).u32(0).name("user.a"), 64);
        queue.call(new Request(Opcode.BATCH_FORGET, 0).u32(size).u32(0).u64(2).u64(1), 64);
        queue.call(new Request(Opcode.LOOKUP, 1).name("greeting").extensions(size & 0xffff), 512);
      }
      assertThat(fuse.read(node, handle, Long.MAX_VALUE, 4096).error()).isEqualTo(EINVAL);
      assertThat(fuse.read(node, handle, -4096, 4096).error()).isEqualTo(EINVAL);
      assertServes(fuse);
    }
  }

  private static Request transfer(int opcode, long node, long handle, int size) {
    return new Request(opcode, node).u64(handle).u64(0).u32(size).u32(0).u64(0).u64(0);
  }

  @Test
  void answersWithoutRoom() throws Exception {
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      FuseQueue queue = client.queue(0);
      byte[] request = new byte[49];
      header(request, Opcode.LOOKUP, 77);
      System.arraycopy("greeting\0".getBytes(StandardCharsets.US_ASCII), 0, request, 40, 9);
      for (int room = 0; room < FuseRing.ANSWER_HEADER_BYTES + 128; room += 5) {
        Answer answer = queue.await(queue.sendForAny(77, request, 80, room));
        assertThat(answer.error() != 0 || room < FuseRing.ANSWER_HEADER_BYTES)
            .as("room for %d bytes", room)
            .isTrue();
      }
      assertServes(fuse);
    }
  }

  @Test
  void randomBytes() throws Exception {
    var dice = new Random(5);
    try (Peer daemon = FsBackEnd.HAWSER.serve(shared, socket, "--xattr", "--flock");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = begin(client);
      FuseQueue queue = client.queue(0);
      for (int round = 0; round < 5000; round++) {
        byte[] request = new byte[40 + dice.nextInt(200)];
        dice.nextBytes(request);
        int opcode = 1 + dice.nextInt(60);
        if (opcode == Opcode.SETLKW || opcode == Opcode.SYNCFS) {
          continue;
        }
        header(request, opcode, 2_000_001 + 2L * round);
        queue.await(queue.send(2_000_001 + 2L * round, request, 80, ROOM));
      }
      fuse.init().ok();
      assertThat(fuse.lookup(1, "nothing of that name").error()).isEqualTo(ENOENT);
      assertThat(temp.resolve("secret")).hasContent("not shared");
      assertThat(daemon.process().isAlive()).isTrue();
    }
  }
}
