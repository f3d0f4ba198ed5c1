package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is agreed with kernels of every age. */
class InitMatrixTest {
  private static final int EPROTO = 71;
  private static final int OLDEST = 27;
  private static final int NEWEST = 42;

  /** What every server takes up from a kernel that has it. */
  private static final long ALWAYS =
      InitFlags.ASYNC_READ
          | InitFlags.BIG_WRITES
          | InitFlags.ASYNC_DIO
          | InitFlags.DO_READDIRPLUS
          | InitFlags.READDIRPLUS_AUTO
          | InitFlags.PARALLEL_DIROPS
          | InitFlags.MAX_PAGES
          | InitFlags.ATOMIC_O_TRUNC;

  @TempDir Path temp;
  private Path shared;
  private Path socket;

  @BeforeEach
  void makeFolder() throws Exception {
    shared = Files.createDirectory(temp.resolve("shared"));
    Files.writeString(shared.resolve("greeting"), "hello");
    socket = temp.resolve("s");
  }

  @ParameterizedTest
  @EnumSource
  void everyMinorFromTheOldestToTheNewest(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      for (int minor = OLDEST; minor <= NEWEST + 3; minor++) {
        Answer.Agreed agreed = fuse.init(minor, InitFlags.EVERYDAY).agreed();
        assertThat(agreed.major()).isEqualTo(7);
        assertThat(agreed.minor()).as("for minor %d", minor).isBetween(OLDEST, NEWEST);
        assertThat(agreed.flags() & ALWAYS).as("for minor %d", minor).isEqualTo(ALWAYS);
        assertThat(agreed.flags() & ~InitFlags.EVERYDAY).as("not asked for").isZero();
        assertThat(agreed.maxWrite()).isEqualTo(1 << 20);
        assertThat(agreed.maxPages()).isEqualTo(256);
        assertThat(agreed.timeGran()).isEqualTo(1);
        assertThat(agreed.maxBackground()).isPositive();
        assertGreets(fuse);
      }
    }
  }

  private static void assertGreets(FuseOperations fuse) {
    long node = fuse.walk("greeting");
    long handle = fuse.open(node, 0).opened().handle();
    assertThat(fuse.read(node, handle, 0, 4096).text()).isEqualTo("hello");
    fuse.release(node, handle).ok();
    fuse.forget(node, 1);
  }

  @ParameterizedTest
  @EnumSource
  void olderKernelsAndOtherMajorsAreRefused(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      assertThat(fuse.init(26, InitFlags.EVERYDAY).error()).isEqualTo(EPROTO);
      assertThat(fuse.init(6, 42, InitFlags.EVERYDAY).error()).isEqualTo(EPROTO);
      fuse.init().ok();
      assertGreets(fuse);
    }
  }

  /** A kernel of a later major asks again in ours: that is what it is told (linux/fuse.h). */
  @ParameterizedTest
  @EnumSource
  void aLaterMajorIsToldOurs(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      assertThat(fuse.init(8, 0, InitFlags.EVERYDAY).agreed().major()).isEqualTo(7);
      fuse.init().ok();
      assertGreets(fuse);
    }
  }

  @ParameterizedTest
  @EnumSource
  void withoutTheExtensionTheUpperFlagsAreNotRead(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      long flags = fuse.init(36, InitFlags.EVERYDAY & ~InitFlags.INIT_EXT).agreed().flags();
      assertThat(flags >>> 32).isZero();
      assertThat(flags & InitFlags.INIT_EXT).isZero();
      assertGreets(fuse);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSecondKernelKnowsNothingOfTheFirst(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      long node = fuse.walk("greeting");
      long handle = fuse.open(node, 0).opened().handle();
      fuse.init().ok();
      assertThat(fuse.getattr(node).error()).isNotZero();
      assertThat(fuse.read(node, handle, 0, 10).error()).isNotZero();
      assertGreets(fuse);
      fuse.destroy().ok();
      fuse.init().ok();
      assertGreets(fuse);
    }
  }

  @ParameterizedTest
  @EnumSource
  void optionsDecideWhatIsAgreed(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket, "--writeback", "--posix-acl", "--no-readdirplus");
        FuseClient client = FuseClient.connect(socket, 1)) {
      long flags = client.operations().init(42, FuseOperations.ALL_FLAGS).agreed().flags();
      assertThat(flags & InitFlags.WRITEBACK_CACHE).isNotZero();
      assertThat(flags & InitFlags.POSIX_ACL).isNotZero();
      assertThat(flags & InitFlags.DO_READDIRPLUS).isZero();
      assertThat(flags & (InitFlags.POSIX_LOCKS | InitFlags.FLOCK_LOCKS)).isZero();
      assertThat(flags & InitFlags.HANDLE_KILLPRIV_V2).isZero();
    }
  }

  /** Whatever a kernel of tomorrow may have; but directories have no IOCTL in either. */
  @ParameterizedTest
  @ValueSource(strings = {"--tag=any", "--posix-acl --security-label --writeback --killpriv-v2"})
  void ofAllFlagsTheSameAreAgreed(String options) throws Exception {
    Assumptions.assumeTrue(FsBackEnd.isHere(), "needs virtiofsd");
    long ours = agreedOfAll(FsBackEnd.HAWSER, options);
    assertThat(agreedOfAll(FsBackEnd.VIRTIOFSD, options)).isEqualTo(ours | InitFlags.HAS_IOCTL_DIR);
    assertThat(ours & InitFlags.ALLOW_IDMAP).isNotZero();
  }

  private long agreedOfAll(FsBackEnd side, String options) throws Exception {
    Path own = temp.resolve(side.name());
    try (Peer _ = side.serve(shared, own, options.split(" "));
        FuseClient client = FuseClient.connect(own, 1)) {
      return client.operations().init(42, -1L).agreed().flags();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aKernelWithoutWhatTheOptionsNeedIsRefused(FsBackEnd side) throws Exception {
    try (Peer _ = side.serve(shared, socket, "--posix-acl");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      long all = FuseOperations.ALL_FLAGS;
      assertThat(fuse.init(42, all & ~InitFlags.DONT_MASK).error()).isEqualTo(EPROTO);
      fuse.init(42, all).ok();
      assertGreets(fuse);
    }
    Path other = temp.resolve("other");
    try (Peer _ = side.serve(shared, other, "--security-label", "--xattr");
        FuseClient client = FuseClient.connect(other, 1)) {
      FuseOperations fuse = client.operations();
      long all = FuseOperations.ALL_FLAGS;
      assertThat(fuse.init(42, all & ~InitFlags.SECURITY_CTX).error()).isEqualTo(EPROTO);
      fuse.init(42, all).ok();
      assertGreets(fuse);
    }
  }

  @Test
  void locksAreAgreedWhereOursIsTold() throws Exception {
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket, "--posix-lock", "--flock");
        FuseClient client = FuseClient.connect(socket, 1)) {
      long flags = client.operations().init(42, FuseOperations.ALL_FLAGS).agreed().flags();
      assertThat(flags & InitFlags.POSIX_LOCKS).isNotZero();
      assertThat(flags & InitFlags.FLOCK_LOCKS).isNotZero();
    }
  }

  @Test
  void nothingIsServedBeforeInit() throws Exception {
    // virtiofsd serves all the same.
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      assertThat(fuse.lookup(1, "greeting").error()).isNotZero();
      fuse.init().ok();
      assertGreets(fuse);
    }
  }
}
