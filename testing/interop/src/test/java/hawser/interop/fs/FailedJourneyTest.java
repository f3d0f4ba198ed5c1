package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.testkit.Peer;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.Sockets;
import hawser.vhost.message.StateDirection;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Journeys that end in the middle, driven by our own front-end: the guest goes on at the source
 * with everything, and at the destination there is nothing.
 */
class FailedJourneyTest {
  @TempDir Path temp;
  private Path shared;
  private Peer source;
  private FuseClient guest;
  private HeldFiles held;

  @BeforeEach
  void hold() throws Exception {
    shared = Files.createDirectory(temp.resolve("shared"));
    source = serve(shared, "old");
    guest = FuseClient.connect(temp.resolve("old"), 1);
    FuseOperations fuse = guest.operations();
    long locks = InitFlags.POSIX_LOCKS | InitFlags.FLOCK_LOCKS;
    fuse.init(42, InitFlags.EVERYDAY | locks).ok();
    held = new HeldFiles(shared, fuse, false).named().nameless().ownKinds().behindItsBack();
  }

  @AfterEach
  void end() {
    guest.close();
    source.close();
  }

  private Peer serve(Path folder, String name) {
    return FsBackEnd.HAWSER.serve(folder, temp.resolve(name), "--posix-lock", "--flock");
  }

  /** Nobody has applied anything, and the guest can still leave for somewhere else. */
  private void assertItGoesOn() throws Exception {
    guest.goOn();
    assertThat(held.failures(guest.operations())).as(source.err()).isEmpty();
    try (Stream<Path> files = Files.list(shared)) {
      assertThat(files.filter(file -> file.getFileName().toString().startsWith(".hawser")))
          .isEmpty();
    }
    try (Peer _ = serve(shared, "elsewhere")) {
      guest.moveTo(temp.resolve("elsewhere"), guest.save());
      assertThat(held.failures(guest.operations())).isEmpty();
    }
  }

  private static int openFiles(Peer daemon) {
    String[] open = Path.of("/proc", daemon.process().pid() + "", "fd").toFile().list();
    return open == null ? -1 : open.length;
  }

  /** The state is cut, or one of its last sections is damaged. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDamagedStateIsAppliedInNoPart(boolean cut) throws Exception {
    byte[] state = guest.save();
    byte[] damaged = Arrays.copyOf(state, cut ? state.length - 60 : state.length);
    damaged[damaged.length - 50] ^= cut ? 0 : (byte) 1;
    try (Peer destination = serve(shared, "new")) {
      refused(destination, damaged);
      int open = openFiles(destination);
      for (int i = 0; i < 3; i++) {
        refused(destination, damaged);
      }
      destination.await("letting go", () -> openFiles(destination) <= open);
      assertThat(destination.err()).contains("could not arrive: ");
      assertNothingIsThere();
    }
    assertItGoesOn();
  }

  private void refused(Peer destination, byte[] state) {
    assertThatThrownBy(() -> guest.moveTo(temp.resolve("new"), state))
        .as(destination.err())
        .isInstanceOf(PeerFault.class)
        .hasMessageContaining("CHECK_DEVICE_STATE after LOAD: 1");
  }

  /** Another guest finds no mount, no file and no lock at the destination. */
  private void assertNothingIsThere() throws BlockFault {
    try (FuseClient other = FuseClient.connect(temp.resolve("new"), 1)) {
      FuseOperations fuse = other.operations();
      assertThat(fuse.getattr(ROOT_NODE).error()).isNotZero();
      fuse.init().ok();
      assertThat(fuse.read(2, 1, 0, 10).error()).isNotZero();
      assertThat(fuse.getattr(2).error()).isNotZero();
    }
  }

  /** Some of it could be opened there, and the rest not. */
  @Test
  void aStateThatDoesNotFitIsAppliedInNoPart() throws Exception {
    Path copy = Files.createDirectory(temp.resolve("copy"));
    Files.createLink(copy.resolve("regular"), shared.resolve("regular"));
    byte[] state = guest.save();
    try (Peer destination = serve(copy, "new")) {
      refused(destination, state);
      assertNothingIsThere();
    }
    assertThat(copy.resolve("regular")).hasContent("one two three\n");
    assertItGoesOn();
  }

  /** The destination dies when it has read half of the state. */
  @Test
  void theDestinationDiesWhileItLoads() throws Exception {
    byte[] state = guest.save();
    try (Peer destination = serve(shared, "new")) {
      Driver there = guest.driver().destination(Sockets.connect(temp.resolve("new")));
      int[] pipe = new int[2];
      Result.orFault(FileCalls.pipe(pipe), "pipe");
      try {
        there.frontEnd().setDeviceStateFd(StateDirection.LOAD, pipe[0]);
        write(pipe[1], Arrays.copyOf(state, state.length / 2));
        destination.kill();
        assertThatThrownBy(() -> there.frontEnd().checkDeviceState()).isInstanceOf(PeerFault.class);
      } finally {
        List.of(pipe[0], pipe[1]).forEach(FileCalls::close);
        there.close();
      }
    }
    assertItGoesOn();
  }

  private static void write(int fd, byte[] bytes) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      assertThat(Result.orFault(FileCalls.write(fd, all), "write")).isEqualTo(bytes.length);
    }
  }

  /** Nobody reads to the end: the source is told, and its guest goes on. */
  @Test
  void theStateIsNotTaken() throws Exception {
    guest.driver().startLog();
    guest.driver().stop();
    int[] pipe = new int[2];
    Result.orFault(FileCalls.pipe(pipe), "pipe");
    FileCalls.close(pipe[0]);
    guest.driver().frontEnd().setDeviceStateFd(StateDirection.SAVE, pipe[1]);
    FileCalls.close(pipe[1]);
    assertThat(guest.driver().frontEnd().checkDeviceState()).isEqualTo(1);
    assertThat(source.err()).contains("could not leave: ");
    assertItGoesOn();
  }

  /** Called off before the guest stops, again and again. */
  @Test
  void aJourneyIsCalledOff() throws IOException, BlockFault {
    for (int i = 0; i < 20; i++) {
      guest.driver().startLog();
      guest.driver().stopLog();
    }
    assertThat(held.failures(guest.operations())).as(source.err()).isEmpty();
  }
}
