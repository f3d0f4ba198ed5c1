package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.FileCalls;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Caller;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.FuseQueue;
import hawser.testkit.fuse.InitFlags;
import hawser.testkit.fuse.LockRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two guests of two daemons and the host contend for locks on one file. Ours alone: virtiofsd's
 * guests know only their own locks.
 */
class LocksTest {
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final int LOCK_EX_NB = 2 | 4;
  private static final int LOCK_SH_NB = 1 | 4;
  private static final int LOCK_UN = 8;
  private static final int ROUNDS = 200;

  @TempDir Path temp;
  private final List<AutoCloseable> open = new ArrayList<>();
  private Guest first;
  private Guest second;
  private int host;

  /** A guest with the file open. */
  private record Guest(FuseOperations fuse, long node, long handle, FuseClient client) {
    int lock(long owner, int type, long start, long end) {
      return fuse.setlk(node, handle, LockRequest.range(owner, type, start, end)).error();
    }

    int flock(int type) {
      return fuse.setlk(node, handle, LockRequest.whole(handle, type)).error();
    }

    FuseQueue.Ticket waits(LockRequest lock) {
      return fuse.setlkw(node, handle, lock);
    }

    Answer await(FuseQueue.Ticket ticket) {
      return fuse.queue().await(ticket);
    }
  }

  @BeforeEach
  void serveTwice() throws Exception {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Path file = Files.write(shared.resolve("file"), new byte[8192]);
    first = guest(shared, "a");
    second = guest(shared, "b");
    host = (int) FileCalls.open(file.toString(), FileCalls.O_RDWR, 0);
    open.add(() -> FileCalls.close(host));
  }

  private Guest guest(Path shared, String name) throws Exception {
    Path socket = temp.resolve(name);
    open.add(
        FsBackEnd.HAWSER.serve(
            shared, socket, "--posix-lock", "--flock", "--num-request-queues=2"));
    FuseClient client = FuseClient.connect(socket, 2);
    open.add(client);
    FuseOperations fuse = client.operations();
    fuse.init(42, InitFlags.EVERYDAY | InitFlags.POSIX_LOCKS | InitFlags.FLOCK_LOCKS).ok();
    long node = fuse.walk("file");
    return new Guest(fuse, node, fuse.open(node, 2).opened().handle(), client);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  @Test
  void rangesAreSeenByTheOthers() {
    assertThat(first.lock(1, LockRequest.WRITE, 0, 99)).isZero();
    assertThat(second.lock(1, LockRequest.WRITE, 50, 50)).isEqualTo(EAGAIN);
    assertThat(second.lock(1, LockRequest.READ, 99, 99)).isEqualTo(EAGAIN);
    assertThat(second.lock(1, LockRequest.WRITE, 100, LockRequest.END)).isZero();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.READ, 0, 1)).isEqualTo(-EAGAIN);
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.READ, 5000, 1)).isEqualTo(-EAGAIN);
    assertThat(first.lock(1, LockRequest.UNLOCK, 10, 19)).isZero();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.WRITE, 10, 10)).isZero();
    assertThat(second.lock(1, LockRequest.READ, 10, 10)).isEqualTo(EAGAIN);
    Answer.Lock found =
        first
            .fuse
            .getlk(first.node, first.handle, LockRequest.range(1, LockRequest.WRITE, 0, 200))
            .lock();
    assertThat(found.type()).isEqualTo(LockRequest.WRITE);
    assertThat(found.start()).isIn(10L, 100L);
    Answer.Lock none =
        first
            .fuse
            .getlk(first.node, first.handle, LockRequest.range(1, LockRequest.WRITE, 30, 40))
            .lock();
    assertThat(none.type()).isEqualTo(LockRequest.UNLOCK);
  }

  @Test
  void processesOfOneGuestContendToo() {
    assertThat(first.lock(1, LockRequest.WRITE, 0, 99)).isZero();
    assertThat(first.lock(2, LockRequest.WRITE, 0, 99)).isEqualTo(EAGAIN);
    assertThat(first.lock(1, LockRequest.READ, 0, 99)).isZero();
    assertThat(first.lock(2, LockRequest.READ, 0, 99)).isZero();
    // A process that closes any descriptor of a file loses its locks on it, and only its own.
    first.fuse.flush(first.node, first.handle, 1).ok();
    assertThat(first.lock(3, LockRequest.WRITE, 0, 9)).isEqualTo(EAGAIN);
    first.fuse.flush(first.node, first.handle, 2).ok();
    assertThat(first.lock(3, LockRequest.WRITE, 0, 9)).isZero();
  }

  @Test
  void wholeFilesAreSeenByTheOthers() {
    assertThat(first.flock(LockRequest.READ)).isZero();
    assertThat(second.flock(LockRequest.READ)).isZero();
    assertThat(FileCalls.flock(host, LOCK_EX_NB)).isEqualTo(-EAGAIN);
    assertThat(FileCalls.flock(host, LOCK_SH_NB)).isZero();
    assertThat(second.flock(LockRequest.WRITE)).isEqualTo(EAGAIN);
    assertThat(FileCalls.flock(host, LOCK_UN)).isZero();
    first.fuse.release(first.node, first.handle).ok();
    assertThat(second.flock(LockRequest.WRITE)).isZero();
    assertThat(FileCalls.flock(host, LOCK_SH_NB)).isEqualTo(-EAGAIN);
  }

  @Test
  void whoWaitsHoldsUpNobodyAndGetsItInTheEnd() {
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.WRITE, 0, 0)).isZero();
    FuseQueue.Ticket range = first.waits(LockRequest.range(1, LockRequest.WRITE, 0, 9));
    FuseQueue.Ticket whole = second.waits(LockRequest.range(2, LockRequest.READ, 0, 9));
    for (int i = 0; i < 100; i++) {
      first.fuse.getattr(first.node).ok();
      second.fuse.write(second.node, second.handle, i, new byte[] {1}).ok();
    }
    assertThat(first.fuse.queue().awaits(range, 0)).isFalse();
    assertThat(second.fuse.queue().awaits(whole, 0)).isFalse();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.READ, 0, 0)).isZero();
    second.await(whole).ok();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.NONE, 0, 0)).isZero();
    second.fuse.flush(second.node, second.handle, 2).ok();
    first.await(range).ok();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.READ, 9, 1)).isEqualTo(-EAGAIN);
  }

  @Test
  void whoWaitsCanBeInterrupted() {
    assertThat(FileCalls.flock(host, LOCK_EX_NB)).isZero();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.WRITE, 0, 0)).isZero();
    for (int i = 0; i < 5; i++) {
      FuseQueue.Ticket range = first.waits(LockRequest.range(1, LockRequest.WRITE, 0, 9));
      FuseQueue.Ticket whole = first.waits(LockRequest.whole(first.handle, LockRequest.WRITE));
      first.fuse.interrupt(whole);
      assertThat(first.await(whole).error()).isEqualTo(EINTR);
      assertThat(first.fuse.queue().awaits(range, 0)).isFalse();
      first.fuse.interrupt(range);
      assertThat(first.await(range).error()).isEqualTo(EINTR);
    }
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.NONE, 0, 0)).isZero();
    assertThat(first.lock(1, LockRequest.WRITE, 0, 9)).isZero();
  }

  @Test
  void manyMayWaitAtOnce() {
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.WRITE, 0, 0)).isZero();
    var waiting = new ArrayList<FuseQueue.Ticket>();
    for (int i = 0; i < FuseClient.SLOTS - 1; i++) {
      waiting.add(first.waits(LockRequest.range(i, LockRequest.READ, 0, 9)));
    }
    first.fuse.getattr(first.node).ok();
    assertThat(FileCalls.ofdLock(host, FileCalls.Lock.NONE, 0, 0)).isZero();
    waiting.forEach(ticket -> first.await(ticket).ok());
  }

  /** A number in the file that nobody may lose, added to under three kinds of lock. */
  @Test
  void nobodyIsInsideTogetherWithAnother() throws Exception {
    var dice = new Random(3);
    try (var threads = Executors.newFixedThreadPool(3)) {
      List<Callable<Boolean>> all =
          List.of(() -> count(first, dice), () -> count(second, dice), this::countOnTheHost);
      for (Future<Boolean> one : threads.invokeAll(all)) {
        assertThat(one.get()).isTrue();
      }
    }
    assertThat(first.fuse.read(first.node, first.handle, 0, 4).data()).isEqualTo(bytes(3 * ROUNDS));
  }

  private static byte[] bytes(int number) {
    return java.nio.ByteBuffer.allocate(4).putInt(number).array();
  }

  private static boolean count(Guest guest, Random dice) {
    for (int i = 0; i < ROUNDS; i++) {
      long owner = dice.nextInt(4);
      guest.await(guest.waits(LockRequest.range(owner, LockRequest.WRITE, 0, 3))).ok();
      byte[] now = guest.fuse.read(guest.node, guest.handle, 0, 4).data();
      int number = java.nio.ByteBuffer.wrap(now).getInt();
      guest.fuse.write(guest.node, guest.handle, 0, bytes(number + 1)).ok();
      if (guest.lock(owner, LockRequest.UNLOCK, 0, 3) != 0) {
        return false;
      }
    }
    return true;
  }

  private boolean countOnTheHost() {
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      var place = arena.allocate(4, 4);
      for (int i = 0; i < ROUNDS; i++) {
        while (FileCalls.ofdLock(host, FileCalls.Lock.WRITE, 0, 4) != 0) {
          Thread.onSpinWait();
        }
        FileCalls.pread(host, place, 0);
        place.set(hawser.base.Wire.BE32, 0, place.get(hawser.base.Wire.BE32, 0) + 1);
        FileCalls.pwrite(host, place, 0);
        FileCalls.ofdLock(host, FileCalls.Lock.NONE, 0, 4);
      }
      return true;
    }
  }

  @Test
  void aGuestThatIsGoneHoldsNothing() throws Exception {
    assertThat(first.lock(1, LockRequest.WRITE, 0, 99)).isZero();
    assertThat(first.flock(LockRequest.WRITE)).isZero();
    FuseQueue.Ticket ticket = second.waits(LockRequest.range(1, LockRequest.WRITE, 0, 99));
    first.client.operations(1, Caller.ROOT).destroy().ok();
    second.await(ticket).ok();
    assertThat(second.flock(LockRequest.WRITE)).isZero();
  }
}
