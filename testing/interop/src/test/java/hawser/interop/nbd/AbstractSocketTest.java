package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.nbd.server.Export;
import hawser.nbd.server.NbdServer;
import hawser.nbd.server.ServerListener;
import hawser.nbd.server.ServerOptions;
import hawser.sys.SocketAddress;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unix sockets that have a name and no file: QEMU's {@code abstract=on}. */
class AbstractSocketTest {
  private static final int SIZE = 3 << 20;

  @TempDir Path temp;
  private Path image;
  private String name;

  @BeforeEach
  void makeImage() throws Exception {
    Peers.requires("qemu-img", "qemu-storage-daemon");
    image = Files.write(temp.resolve("disk.raw"), new byte[SIZE]);
    name = "hawser-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
  }

  private String address(String prefix, boolean tight) {
    return "%1$stype=unix,%1$spath=%2$s,%1$sabstract=on,%1$stight=%3$s"
        .formatted(prefix, name, tight ? "on" : "off");
  }

  private void assertSize(Side client, boolean tight) {
    String options = "driver=raw,file.driver=nbd," + address("file.server.", tight);
    assertThat(client.run("qemu-img", "info", "--image-opts", options).ok().out())
        .as("%s", client)
        .contains("virtual size: 3 MiB (" + SIZE + " bytes)");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void ofTheStorageDaemon(boolean tight) {
    Path ready = temp.resolve("ready");
    try (Peer daemon =
        Peers.start(
            "qemu-storage-daemon",
            "--blockdev",
            "raw,node-name=disk,read-only=on,file.driver=file,file.filename=" + image,
            "--nbd-server",
            address("addr.", tight),
            "--export",
            "nbd,id=e,node-name=disk,name=",
            "--pidfile",
            ready.toString())) {
      daemon.await("the pid file", () -> Files.exists(ready));
      assertSize(Side.QEMU, tight);
      assertSize(Side.HAWSER, tight);
      assertThat(daemon.terminate()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void ofOurServer(boolean tight) throws Exception {
    var opener = new Opener(OpenPolicy.NOTHING);
    try (var disk = opener.open(image.toString(), "raw", OpenMode.READ);
        var server = new NbdServer(ServerOptions.DEFAULT, ServerListener.NONE)) {
      server.add(Export.of("", disk, false));
      server.listen(new SocketAddress.Unix(SocketAddress.abstractPath(name, tight)));
      assertSize(Side.QEMU, tight);
      assertSize(Side.HAWSER, tight);
    }
  }
}
