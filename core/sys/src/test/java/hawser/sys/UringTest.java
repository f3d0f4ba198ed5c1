package hawser.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UringTest {
  private static final int DEPTH = 64;
  private static final int BLOCK = 4096;

  @TempDir Path folder;
  private Uring ring;

  @BeforeEach
  void open() {
    var opened = Uring.open(DEPTH);
    assumeTrue(opened.isPresent(), "this kernel offers no io_uring");
    ring = opened.orElseThrow();
  }

  @AfterEach
  void close() {
    if (ring != null) {
      ring.close();
    }
  }

  @Test
  void readsAndWritesManyAtOnce() throws IOException {
    var noise = new byte[DEPTH * BLOCK];
    new Random(5).nextBytes(noise);
    Path file = Files.write(folder.resolve("file"), new byte[DEPTH * BLOCK]);
    int fd = (int) FileCalls.open(file.toString(), FileCalls.O_RDWR | FileCalls.O_CLOEXEC, 0);
    try (var arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocateFrom(ValueLayout.JAVA_BYTE, noise);
      for (int i = 0; i < DEPTH; i++) {
        assertThat(ring.full()).isFalse();
        ring.write(fd, out.asSlice((long) i * BLOCK, BLOCK), (long) i * BLOCK, 0, i);
      }
      assertThat(ring.full()).isTrue();
      finishAll();
      assertThat(Files.readAllBytes(file)).isEqualTo(noise);

      MemorySegment in = arena.allocate(noise.length, BLOCK);
      for (int i = 0; i < DEPTH; i++) {
        ring.read(fd, in.asSlice((long) i * BLOCK, BLOCK), (long) i * BLOCK, i);
      }
      finishAll();
      assertThat(in.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(noise);
    }
    FileCalls.close(fd);
  }

  @Test
  void receivesWhenSomethingComes() {
    var pair = new int[2];
    SocketCalls.socketPair(pair);
    try (var arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(16);
      ring.receive(pair[0], into, 7);
      assertThat(ring.submit(0)).isEqualTo(1);
      assertThat(ring.next()).isFalse();
      SocketCalls.send(pair[1], arena.allocateFrom("x"));
      ring.submit(1);
      assertThat(ring.next()).isTrue();
      assertThat(ring.tag()).isEqualTo(7);
      assertThat(ring.result()).isEqualTo(2);
      assertThat(into.getString(0)).isEqualTo("x");
      FileCalls.close(pair[1]);
      ring.receive(pair[0], into, 8);
      ring.submit(1);
      assertThat(ring.next()).isTrue();
      assertThat(ring.result()).isZero();
    }
    FileCalls.close(pair[0]);
  }

  @Test
  void failureIsTheRequestsOwn() {
    try (var arena = Arena.ofConfined()) {
      ring.read(-1, arena.allocate(16), 0, 3);
      ring.submit(1);
      assertThat(ring.next()).isTrue();
      assertThat(ring.result()).isEqualTo(-9);
    }
  }

  private void finishAll() {
    var seen = new BitSet();
    while (seen.cardinality() < DEPTH) {
      assertThat(ring.submit(1)).isNotNegative();
      while (ring.next()) {
        assertThat(ring.result()).isEqualTo(BLOCK);
        assertThat(seen.get((int) ring.tag())).isFalse();
        seen.set((int) ring.tag());
      }
    }
  }
}
