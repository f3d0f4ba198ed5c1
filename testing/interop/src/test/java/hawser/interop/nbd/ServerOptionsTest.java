package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What an option of qemu-nbd changes for clients and for the image is the same with {@code hawser
 * nbd}: both serve the same disk, the same is done to it, and what is seen is compared.
 */
class ServerOptionsTest {
  private static final String SIZE = "4M";

  @TempDir Path temp;
  private Path base;

  @BeforeEach
  void makeBase() {
    Peers.requires("nbdinfo", "qemu-img", "qemu-io");
    base = temp.resolve("base.qcow2");
    qemuImg("create", "-q", "-f", "qcow2", base.toString(), SIZE);
    qemuIo(base, "write -P 1 0 2M");
  }

  private static void qemuImg(String... arguments) {
    var command = new ArrayList<>(List.of("qemu-img"));
    command.addAll(List.of(arguments));
    Peers.run(command).ok();
  }

  private static void qemuIo(Path image, String... commands) {
    Ran ran =
        Peers.run(withCommands(List.of("qemu-io", "-f", "qcow2", image.toString()), commands));
    assertThat(ran.ok().out()).doesNotContain("failed");
  }

  private static List<String> withCommands(List<String> program, String... commands) {
    var all = new ArrayList<>(program);
    for (String command : commands) {
      all.add("-c");
      all.add(command);
    }
    return all;
  }

  /** A client of the server on a socket. */
  private record Client(String uri) {
    String flags() {
      return Peers.run("nbdinfo", "--json", uri)
          .ok()
          .out()
          .lines()
          .map(String::strip)
          .filter(line -> line.matches("\"(can|is|block_size|export-size|structured).*"))
          .collect(Collectors.joining("\n"));
    }

    String map(String context) {
      return Peers.run("nbdinfo", "--map=" + context, uri).ok().out();
    }

    String io(String... commands) {
      Ran ran = Peers.run(withCommands(List.of("qemu-io", "-f", "raw", uri), commands));
      // Without the lines that tell how long it took.
      List<String> lines = ran.out().lines().filter(line -> !line.contains("ops;")).toList();
      return lines + ran.err().replace(uri, "URI");
    }
  }

  private interface Doing {
    String with(Client client);
  }

  /** What a client saw, and what has become of the image. */
  private String outcome(Side side, Path image, String format, Doing doing, String... options) {
    Path socket = temp.resolve(side + ".sock");
    var arguments = new ArrayList<>(List.of("-k", socket.toString(), "-f", format, "-t"));
    arguments.addAll(List.of(options));
    arguments.add(image.toString());
    String seen;
    try (Peer server =
        side.start("qemu-nbd", arguments.toArray(String[]::new)).awaitSocket(socket)) {
      seen = doing.with(new Client("nbd+unix:///?socket=" + socket));
      assertThat(server.terminate()).isZero();
    }
    String map = Peers.run("qemu-img", "map", "--output=json", image.toString()).ok().out();
    return seen + "\n" + map.replace(image.toString(), "IMAGE");
  }

  private void sameForBoth(String format, Doing doing, String... options) throws Exception {
    var seen = new EnumMap<Side, String>(Side.class);
    for (Side side : Side.values()) {
      Path image = temp.resolve(side + "." + format);
      Files.deleteIfExists(image);
      if (format.equals("raw")) {
        qemuImg("convert", "-O", "raw", base.toString(), image.toString());
      } else {
        Files.copy(base, image);
      }
      seen.put(side, outcome(side, image, format, doing, options));
    }
    assertThat(seen.get(Side.HAWSER)).isEqualTo(seen.get(Side.QEMU));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "writeback", "writethrough", "directsync", "unsafe"})
  void cache(String mode) throws Exception {
    Doing doing =
        client ->
            client.flags()
                + client.io(
                    "write -P 2 64k 64k", "write -f -P 3 4k 4k", "flush", "read -P 3 4k 4k");
    sameForBoth("raw", doing, "--cache=" + mode);
    sameForBoth("qcow2", doing, "--cache=" + mode);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ignore", "unmap"})
  void discard(String mode) throws Exception {
    Doing doing =
        client ->
            client.flags()
                + client.io(
                    "discard 128k 256k", "write -z -u 1M 128k", "write -z 1536k 128k", "flush")
                + client.map("base:allocation");
    sameForBoth("raw", doing, "--discard=" + mode);
    sameForBoth("qcow2", doing, "--discard=" + mode);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "on", "unmap"})
  void detectZeroes(String mode) throws Exception {
    Doing doing =
        client ->
            client.io("write -P 0 128k 256k", "write -P 0 3M 64k", "write -P 9 1M 64k", "flush")
                + client.map("base:allocation");
    sameForBoth("raw", doing, "--discard=unmap", "--detect-zeroes=" + mode);
    sameForBoth("qcow2", doing, "--discard=unmap", "--detect-zeroes=" + mode);
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void aTemporarySnapshotKeepsNothing(String format) throws Exception {
    sameForBoth(
        format,
        client -> client.io("write -P 5 0 1M", "flush", "read -P 5 0 1M", "read -P 1 1M 1M"),
        "--snapshot");
  }

  @ParameterizedTest
  @ValueSource(strings = {"then", "snapshot.name=then", "snapshot.id=1"})
  void anInternalSnapshotIsShown(String which) throws Exception {
    qemuImg("snapshot", "-c", "then", base.toString());
    qemuIo(base, "write -P 8 0 4M");
    sameForBoth(
        "qcow2",
        client -> client.flags() + client.io("read -P 1 0 2M", "read -P 0 2M 2M", "write 0 4k"),
        "--load-snapshot=" + which);
  }

  @ParameterizedTest
  @EnumSource
  void aSnapshotThatIsNotThereIsNamed(Side side) {
    Ran ran = side.run("qemu-nbd", "-f", "qcow2", "-l", "never", base.toString());
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.err()).isEqualTo("qemu-nbd: Failed to load snapshot: Can't find snapshot\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"qcow2"})
  void depthsAndBitmapsAreTold(String format) throws Exception {
    Path below = temp.resolve("below.qcow2");
    Files.move(base, below);
    qemuImg("create", "-q", "-f", format, "-b", below.toString(), "-F", "qcow2", base.toString());
    qemuImg("bitmap", "--add", "-g", "64k", base.toString(), "changes");
    qemuImg("bitmap", "--add", "-g", "1M", base.toString(), "coarse");
    qemuIo(base, "write -P 4 512k 128k", "write -P 4 3M 64k");
    sameForBoth(
        format,
        client ->
            client.map("qemu:allocation-depth")
                + client.map("qemu:dirty-bitmap:changes")
                + client.map("qemu:dirty-bitmap:coarse")
                + client.map("base:allocation"),
        "--allocation-depth",
        "--bitmap=changes",
        "--bitmap=coarse",
        "-r");
  }

  /** As a service manager hands a socket over, libnbd does. */
  @ParameterizedTest
  @EnumSource
  void aSocketMayBeHandedOver(Side side) {
    var command = new ArrayList<>(List.of("nbdinfo", "--size", "--", "["));
    command.addAll(side.command("qemu-nbd", "-f", "qcow2", base.toString()));
    command.add("]");
    assertThat(Peers.run(command).ok().out()).isEqualTo((4 << 20) + "\n");
  }

  /** As QEMU's tests expect it, which ask for {@code -v} and compare all that is printed. */
  @ParameterizedTest
  @EnumSource
  void verboseServersSayNothingOfClients(Side side) {
    Path socket = temp.resolve("verbose.sock");
    try (Peer server =
        side.start("qemu-nbd", "-v", "-t", "-f", "qcow2", "-k", socket.toString(), base.toString())
            .awaitSocket(socket)) {
      new Client("nbd+unix:///?socket=" + socket).io("read 0 4k");
      assertThat(server.terminate()).isZero();
      assertThat(server.out() + server.err()).isEmpty();
    }
  }

  /** QEMU has other words for what was wrong; it too says nothing of who leaves in order. */
  @ParameterizedTest
  @EnumSource
  void failedHandshakesAreTold(Side side) throws Exception {
    Path socket = temp.resolve("handshakes.sock");
    try (Peer server =
        side.start("qemu-nbd", "-t", "-f", "qcow2", "-k", socket.toString(), base.toString())
            .awaitSocket(socket)) {
      hangUpAfter(socket, "");
      hangUpAfter(socket, "00000003" + "49484156454f5054" + "00000002" + "00000000");
      hangUpAfter(socket, "00000003");
      hangUpAfter(socket, "67617262");
      server.await("two complaints", () -> server.err().lines().count() >= 2);
      assertThat(server.terminate()).isZero();
      assertThat(server.err().lines())
          .hasSize(2)
          .allMatch(line -> line.startsWith("qemu-nbd: option negotiation failed: "));
    }
  }

  private static void hangUpAfter(Path socket, String words) throws IOException {
    try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ByteBuffer greeting = ByteBuffer.allocate(18);
      while (greeting.hasRemaining() && channel.read(greeting) >= 0) {
        // Until all of it is here.
      }
      channel.write(ByteBuffer.wrap(HexFormat.of().parseHex(words)));
    }
  }
}
