package hawser.interop.io;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The same commands leave the same clusters behind: what is allocated, zero or left to the backing
 * file, as qemu-img tells it.
 */
class SameMapTest {
  @TempDir Path temp;

  @BeforeEach
  void peers() {
    Peers.requires("qemu-img", "qemu-io");
  }

  /** An overlay of a base that has data in 8..10, 33..35 and 70..72 KiB. */
  private Path overlay(String name, String options) {
    Path base = temp.resolve(name + ".base");
    Path image = temp.resolve(name + ".qcow2");
    Peers.run("qemu-img", "create", "-qf", "qcow2", "-o", options, base.toString(), "256k").ok();
    Peers.run(
            "qemu-io",
            "-c",
            "write 8k 2k",
            "-c",
            "write 33k 2k",
            "-c",
            "write 70k 2k",
            base.toString())
        .ok();
    Peers.run(
            "qemu-img",
            "create",
            "-qf",
            "qcow2",
            "-o",
            options,
            "-b",
            base.toString(),
            "-F",
            "qcow2",
            image.toString())
        .ok();
    return image;
  }

  private String map(Side side, String options, String flags, String commands) {
    Path image = overlay(side.name(), options);
    var arguments = new ArrayList<>(List.of("-f", "qcow2"));
    if (!flags.isEmpty()) {
      arguments.add(flags);
    }
    for (String command : commands.split(";", -1)) {
      arguments.addAll(List.of("-c", command));
    }
    arguments.add(image.toString());
    InProcess.ioOf(side, arguments).ok();
    Peers.run("qemu-img", "check", "-q", image.toString()).ok();
    String map = Peers.run("qemu-img", "map", "--output=json", image.toString()).ok().out();
    return map.replaceAll("\"offset\": \\d+", "offset");
  }

  @ParameterizedTest
  @CsvSource({
    // Zeroes to parts of clusters, beside data of the backing file and away from it.
    "'cluster_size=4k', '', 'write -z 1k 2k;write -z 12k 1k;write -z 31k 1k'",
    "'cluster_size=4k', '', 'write -z 9k 2k;write -z 8k 1k;write -z 10k 2k;write -z 7k 4k'",
    "'cluster_size=4k', '', 'write -z 30k 9k;write -z 67k 10k'",
    "'cluster_size=4k', '', 'write 16k 512;write -z 17k 1k;write 20k 4k;write -z 21k 1k'",
    "'cluster_size=4k,compat=0.10', '', 'write -z 13k 1k;write -z 9k 2k'",
    "'cluster_size=64k', '', 'write -z 1k 2k;write -z 100k 1k'",
    "'cluster_size=64k,extended_l2=on', '', 'write -z 13k 1k;write -z 9k 2k;write 101k 1k'",
    // What is read is kept, in clusters or subclusters.
    "'cluster_size=4k', '-C', 'read 33k 1k;read 100k 1k'",
    "'cluster_size=64k,extended_l2=on', '-C', 'read 33k 1k;read 70k 1k;read 100k 1k'",
  })
  void afterTheSameCommands(String options, String flags, String commands) {
    assertThat(map(Side.HAWSER, options, flags, commands))
        .isEqualTo(map(Side.QEMU, options, flags, commands));
  }
}
