package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.testkit.Peers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Makes images with QEMU's tools and looks at them with ours, in one folder. */
final class Workbench {
  private final Path folder;
  private final Random dice;

  Workbench(Path folder, long seed) {
    this.folder = folder;
    this.dice = new Random(seed);
  }

  Path path(String name) {
    return folder.resolve(name);
  }

  Random dice() {
    return dice;
  }

  /** Creates {@code name} of that shape and size, with its backing or data file. */
  Path create(String name, Shape shape, long size) {
    var command = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
    String options = shape.options();
    if (shape.backing()) {
      // Shorter than the overlay, so that reads past its end are tried.
      long below = Math.max(512, (size * 3 / 4) & -512L);
      Peers.run(
              "qemu-img", "create", "-q", "-f", "qcow2", path("base.qcow2").toString(), "" + below)
          .ok();
      fill(path("base.qcow2"), "qcow2", below, false);
      command.addAll(List.of("-b", "base.qcow2", "-F", "qcow2"));
    }
    if (shape.dataFile()) {
      options += ",data_file=" + path(name + ".data");
    }
    command.addAll(List.of("-o", options, path(name).toString(), Long.toString(size)));
    Peers.run(command).ok();
    return path(name);
  }

  /** Has qemu-io write random pieces: data, zeroes, discards and compressed clusters. */
  void fill(Path image, String format, long size, boolean compressed) {
    var command = new ArrayList<>(List.of("qemu-io", "-f", format, "-d", "unmap"));
    if (compressed) {
      // First, for QEMU does not compress over what is allocated.
      for (long start = 0; start + (2 << 20) <= size; start += 2 << 20) {
        command.add("-c");
        command.add("write -c -P %d %d %d".formatted(1 + dice.nextInt(254), start, 2 << 20));
      }
    }
    for (int i = 0; i < 24; i++) {
      command.add("-c");
      command.add(piece(size));
    }
    command.add(image.toString());
    Peers.run(command).ok();
  }

  private String piece(long size) {
    long offset = dice.nextLong(size / 512) * 512;
    long length = Math.min(size - offset, 512L * (1 + dice.nextInt(400)));
    int pattern = 1 + dice.nextInt(254);
    return switch (dice.nextInt(5)) {
      case 0 -> "write -z %d %d".formatted(offset, length);
      case 1 -> "write -z -u %d %d".formatted(offset, length);
      case 2 -> "discard %d %d".formatted(offset, length);
      default -> "write -P %d %d %d".formatted(pattern, offset, length);
    };
  }

  /** Asserts that reading through {@code node} gives what qemu-img converts the image to. */
  void assertReadsAsQemuSays(Path image) throws Exception {
    Path raw = path("expected.raw");
    Peers.run("qemu-img", "convert", "-O", "raw", image.toString(), raw.toString()).ok();
    try (BlockNode node = open(image, OpenMode.READ)) {
      assertThat(node.length()).isEqualTo(Files.size(raw));
      assertSame(node, raw);
      assertExtentsCover(node, raw);
    }
    Files.delete(raw);
  }

  static BlockNode open(Path image, OpenMode mode) throws Exception {
    return new Opener(OpenPolicy.ANYTHING).open(image.toString(), "qcow2", mode);
  }

  /** Reads in random steps, so that requests cross clusters in every way. */
  private void assertSame(BlockNode node, Path raw) throws Exception {
    try (var arena = Arena.ofConfined();
        FileChannel channel = FileChannel.open(raw, StandardOpenOption.READ)) {
      long at = 0;
      while (at < node.length()) {
        long step = Math.min(node.length() - at, 1 + dice.nextInt(300_000));
        MemorySegment piece = arena.allocate(step);
        node.read(piece, at);
        assertThat(piece.mismatch(bytes(channel, at, step))).as("bytes from " + at).isEqualTo(-1);
        MemorySegment again = arena.allocate(step);
        if (node.readNow(again, at)) {
          assertThat(again.mismatch(piece)).as("now, bytes from " + at).isEqualTo(-1);
        }
        at += step;
      }
    }
  }

  private static void assertExtentsCover(BlockNode node, Path raw) throws Exception {
    try (FileChannel channel = FileChannel.open(raw, StandardOpenOption.READ)) {
      long at = 0;
      while (at < node.length()) {
        var extent = node.extent(at, node.length() - at);
        assertThat(extent.offset()).isEqualTo(at);
        assertThat(extent.length()).isBetween(1L, node.length() - at);
        if (extent.kind().zero()) {
          MemorySegment content = bytes(channel, at, extent.length());
          MemorySegment zero = MemorySegment.ofArray(new byte[(int) extent.length()]);
          assertThat(content.mismatch(zero)).as("zeroes from " + at).isEqualTo(-1);
        }
        at = extent.end();
      }
    }
  }

  private static MemorySegment bytes(FileChannel channel, long at, long length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) length);
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer, at + buffer.position());
      assertThat(count).isPositive();
    }
    return MemorySegment.ofArray(buffer.array());
  }
}
