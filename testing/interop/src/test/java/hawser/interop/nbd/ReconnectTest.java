package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.nbd.client.NbdDriver;
import hawser.testkit.Peer;
import hawser.testkit.Side;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code reconnect-delay} and {@code open-timeout} with servers that are killed and started. */
class ReconnectTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path folder;
  private Path disk;
  private Path socket;

  @BeforeEach
  void makeDisk() throws IOException {
    disk = folder.resolve("disk.raw");
    socket = folder.resolve("nbd.sock");
    byte[] content = new byte[SIZE];
    new Random(8).nextBytes(content);
    Files.write(disk, content);
  }

  private Peer serve(Side side) {
    return side.start("qemu-nbd", "-t", "-k", socket.toString(), "-f", "raw", disk.toString())
        .awaitSocket(socket);
  }

  private BlockNode open(String option) throws BlockFault {
    String name =
        "json:{\"driver\": \"nbd\", \"server\": {\"type\": \"unix\", \"path\": \"%s\"}%s}"
            .formatted(socket, option);
    return new Opener(OpenPolicy.ANYTHING, new NbdDriver()).open(name, null, OpenMode.WRITE);
  }

  private void readsWhatIsThere(BlockNode node) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment seen = arena.allocate(SIZE, 8);
      node.read(seen, 0);
      assertThat(seen.mismatch(MemorySegment.ofArray(Files.readAllBytes(disk)))).isEqualTo(-1);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private CompletableFuture<Void> readsLater(BlockNode node) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            readsWhatIsThere(node);
          } catch (BlockFault e) {
            throw new CompletionException(e);
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void requestsWaitForTheServerToComeBack(Side side) throws BlockFault {
    Peer first = serve(side);
    try (BlockNode node = open(", \"reconnect-delay\": 300")) {
      readsWhatIsThere(node);
      first.kill();
      CompletableFuture<Void> waiting = readsLater(node);
      try (Peer second = serve(side)) {
        waiting.join();
        try (var arena = Arena.ofConfined()) {
          node.write(arena.allocate(512, 8).fill((byte) 5), 4096, 0);
          node.flush();
        }
        readsWhatIsThere(node);
        assertThat(second.process().isAlive()).isTrue();
        // Closing flushes, which would wait for yet another server once this one is gone.
        node.close();
      }
    } finally {
      first.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void requestsFailWhenTheServerStaysAway(Side side) throws BlockFault {
    for (String option : new String[] {"", ", \"reconnect-delay\": 1"}) {
      try (Peer server = serve(side)) {
        BlockNode node = open(option);
        readsWhatIsThere(node);
        server.kill();
        assertThatThrownBy(() -> readsWhatIsThere(node)).isInstanceOf(BlockFault.class);
        assertThatThrownBy(node::close).isInstanceOf(BlockFault.class);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void openingWaitsForTheServerToStart(Side side) throws Exception {
    assertThatThrownBy(() -> open(""))
        .isInstanceOf(BlockFault.class)
        .hasMessageContaining("No such file or directory");
    CompletableFuture<BlockNode> opening =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return open(", \"open-timeout\": 300");
              } catch (BlockFault e) {
                throw new CompletionException(e);
              }
            });
    try (Peer server = serve(side);
        BlockNode node = opening.join()) {
      readsWhatIsThere(node);
      assertThat(server.process().isAlive()).isTrue();
    }
  }
}
