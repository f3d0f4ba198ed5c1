package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names of servers and exports mean to our programs what they mean to libnbd's. */
class UriTest {
  /** Serves every export; the size of one is the length of its name in KiB. */
  private static final String SERVER =
      """
      #!/bin/sh
      case "$1" in
        open) printf %s "$3" ;;
        get_size) printf %s "$2" | wc -c | awk '{ print ($1 + 1) * 1024 }' ;;
        pread) head -c "$3" /dev/zero ;;
        *) exit 2 ;;
      esac
      """;

  @TempDir Path temp;

  private Path script() throws IOException {
    Path script = Files.writeString(temp.resolve("server.sh"), SERVER);
    return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
  }

  private static void assertSize(String uri, int bytes) {
    Ran theirs = Peers.run("nbdinfo", "--size", uri);
    assertThat(theirs.ok().out()).as("libnbd's, %s", uri).isEqualTo(bytes + "\n");
    Ran ours = Side.HAWSER.run("nbdinfo", "--size", uri);
    assertThat(ours.ok().out()).as("ours, %s", uri).isEqualTo(bytes + "\n");
  }

  @Test
  void overTcpByNameAndNumber() throws Exception {
    Peers.requires("nbdkit", "nbdinfo");
    Path script = script();
    int port;
    try (var any = new ServerSocket(0)) {
      port = any.getLocalPort();
    }
    try (Peer server =
        Peers.start("nbdkit", "-f", "-p", "" + port, "sh", script.toString()).awaitPort(port)) {
      assertSize("nbd://[::1]:" + port, 1024);
      assertSize("nbd://[::1]:" + port + "/abc", 4096);
      assertSize("nbd://127.0.0.1:" + port + "/", 1024);
      assertSize("nbd://localhost:" + port + "//abc", 5120);
      assertThat(server.terminate()).isZero();
    }
  }

  @Test
  void overUnixSocketsWithNamesOfEveryKind() throws Exception {
    Peers.requires("nbdkit", "nbdinfo");
    Path script = script();
    Path socket = temp.resolve("a b%.sock");
    String query = "?socket=" + temp + "/a%20b%25.sock";
    try (Peer server =
        Peers.start("nbdkit", "-f", "-U", socket.toString(), "sh", script.toString())
            .awaitSocket(socket)) {
      assertSize("nbd+unix://" + query, 1024);
      assertSize("nbd+unix:///" + query, 1024);
      assertSize("nbd+unix:///a/b" + query, 4096);
      assertSize("nbd+unix:////a/b" + query, 5120);
      assertSize("nbd+unix:///a%2fb%20c%25" + query, 7168);
      assertSize("nbd+unix:///%c3%a9+" + query, 4096);
      assertThat(server.terminate()).isZero();
    }
  }
}
