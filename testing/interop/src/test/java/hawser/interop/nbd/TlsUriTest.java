package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** URIs of encrypted exports: libnbd's programs and ours, of nbdkit, qemu-nbd and our server. */
class TlsUriTest {
  private static final int SIZE = 1 << 20;

  /** Who serves. */
  enum Server {
    NBDKIT,
    QEMU,
    HAWSER
  }

  @TempDir Path temp;
  private Path socket;
  private int port;

  @BeforeEach
  void peers() throws Exception {
    Peers.requires("certtool", "psktool", "nbdinfo", "nbdcopy", "nbdkit", "qemu-nbd");
    socket = temp.resolve("nbd.sock");
    try (var any = new ServerSocket(0)) {
      port = any.getLocalPort();
    }
  }

  /** Over TCP or the unix socket, with the credentials of {@link #temp}. */
  private Peer serve(Server server, boolean tcp, boolean shared) throws Exception {
    Path image = temp.resolve("disk.raw");
    byte[] content = new byte[SIZE];
    new java.util.Random(5).nextBytes(content);
    Files.write(image, content);
    var command = new ArrayList<String>();
    if (server == Server.NBDKIT) {
      command.addAll(List.of("nbdkit", "-f", "--tls=require"));
      command.addAll(tcp ? List.of("-p", "" + port) : List.of("-U", socket.toString()));
      command.add(shared ? "--tls-psk=" + temp + "/keys.psk" : "--tls-certificates=" + temp);
      command.addAll(List.of("file", image.toString()));
    } else {
      String object =
          (shared ? "tls-creds-psk" : "tls-creds-x509,verify-peer=off")
              + ",id=t,endpoint=server,dir="
              + temp;
      command.addAll(Side.valueOf(server.name()).command("qemu-nbd", "-t", "-e", "0"));
      command.addAll(List.of("-f", "raw", "--object", object, "--tls-creds", "t"));
      command.addAll(
          tcp ? List.of("-b", "localhost", "-p", "" + port) : List.of("-k", socket.toString()));
      command.add(image.toString());
    }
    Peer peer = Peers.start(command);
    return tcp ? peer.awaitPort(port) : peer.awaitSocket(socket);
  }

  private static void assertReached(String uri) {
    for (Side client : Side.values()) {
      Ran said = client.run("nbdinfo", "--json", uri);
      assertThat(said.ok().out()).as("%s, %s", client, uri).contains("\"TLS\": true");
      assertThat(said.out()).contains("\"uri\": \"" + uri + "\"");
    }
  }

  private static void assertRefused(String uri) {
    for (Side client : Side.values()) {
      assertThat(client.run("nbdinfo", uri).exitCode()).as("%s, %s", client, uri).isNotZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void sharedKeysOverAUnixSocket(Server server) throws Exception {
    var right = new KeyFiles(temp);
    var wrong = new KeyFiles(Files.createDirectory(temp.resolve("wrong")));
    String uri = "nbds+unix://%s@/?socket=%s&tls-psk-file=".formatted(KeyFiles.USER, socket);
    String good = uri + right.sharedKey();
    try (Peer peer = serve(server, false, true)) {
      assertReached(good);
      assertRefused(uri + wrong.sharedKey());
      assertRefused(good.replace(KeyFiles.USER, "nobody"));
      assertRefused(good.replace("nbds", "nbd"));
      for (Side client : Side.values()) {
        Path copy = temp.resolve(client + ".raw");
        client.run("nbdcopy", good, copy.toString()).ok();
        assertThat(Files.mismatch(temp.resolve("disk.raw"), copy)).isEqualTo(-1);
      }
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void certificatesOverTcp(Server server) throws Exception {
    new KeyFiles(temp).certificates();
    Path strange = Files.createDirectory(temp.resolve("strange"));
    new KeyFiles(strange).certificates();
    try (Peer peer = serve(server, true, false)) {
      String uri = "nbds://localhost:" + port + "/?tls-certificates=";
      assertReached(uri + temp);
      assertRefused(uri + strange);
      assertRefused((uri + temp).replace("nbds", "nbd"));
      // The certificate is of localhost.
      assertRefused((uri + temp).replace("localhost", "127.0.0.1"));
      String byNumber = "nbds://127.0.0.1:" + port + "/?tls-certificates=";
      String[] only = {
        byNumber + temp + "&tls-hostname=localhost", byNumber + strange + "&tls-verify-peer=0"
      };
      for (String ours : only) {
        assertThat(Side.HAWSER.run("nbdinfo", "--size", ours).ok().out()).isEqualTo(SIZE + "\n");
      }
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void certificatesOverAUnixSocketWhichHasNoName(Server server) throws Exception {
    new KeyFiles(temp).certificates();
    Path strange = Files.createDirectory(temp.resolve("strange"));
    new KeyFiles(strange).certificates();
    String uri = "nbds+unix:///?socket=" + socket + "&tls-certificates=";
    try (Peer peer = serve(server, false, false)) {
      assertReached(uri + temp);
      // libnbd's then looks at nothing; ours wants the server's authority to be known.
      Peers.run("nbdinfo", uri + strange).ok();
      assertThat(Side.HAWSER.run("nbdinfo", uri + strange).exitCode()).isNotZero();
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @Test
  void nobodysNameOverAUnixSocket() throws Exception {
    Path image = Files.write(temp.resolve("disk.raw"), new byte[SIZE]);
    var options = List.of("-t", "-f", "raw", "--tls-creds", "t", "-k", socket.toString());
    var command = Side.QEMU.command("qemu-nbd", options.toArray(String[]::new));
    command.addAll(List.of("--object", "tls-creds-anon,id=t,endpoint=server", image.toString()));
    try (Peer peer = Peers.start(command).awaitSocket(socket)) {
      String uri = "nbds+unix:///?socket=" + socket + "&tls-type=anon";
      assertThat(Side.HAWSER.run("nbdinfo", "--size", uri).ok().out()).isEqualTo(SIZE + "\n");
      assertThat(peer.process().isAlive()).isTrue();
    }
  }
}
