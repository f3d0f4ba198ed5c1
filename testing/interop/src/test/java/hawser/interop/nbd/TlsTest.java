package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** TLS between QEMU's programs and ours, every way round, with certtool's and psktool's files. */
class TlsTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path temp;
  private Path image;
  private Path socket;

  @BeforeEach
  void makeImage() throws Exception {
    Peers.requires("certtool", "psktool", "qemu-img", "qemu-nbd");
    image = temp.resolve("disk.raw");
    socket = temp.resolve("nbd.sock");
    byte[] content = new byte[SIZE];
    new java.util.Random(3).nextBytes(content);
    Files.write(image, content);
  }

  private Peer serve(Side side, String object, String... more) {
    var options =
        new java.util.ArrayList<>(
            java.util.List.of(
                "-f",
                "raw",
                "-t",
                "-e",
                "0",
                "--object",
                object,
                "--tls-creds",
                "tls0",
                "-k",
                socket.toString()));
    options.addAll(java.util.List.of(more));
    options.add(image.toString());
    return side.start("qemu-nbd", options.toArray(String[]::new)).awaitSocket(socket);
  }

  private Ran list(Side side, String object, String... more) {
    var options =
        new java.util.ArrayList<>(
            java.util.List.of(
                "-L", "--object", object, "--tls-creds", "tls0", "-k", socket.toString()));
    options.addAll(java.util.List.of(more));
    return side.run("qemu-nbd", options.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource({"QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void certificatesAreCheckedBothWays(Side server, Side client) throws Exception {
    new KeyFiles(temp).certificates();
    String ours = "tls-creds-x509,id=tls0,dir=" + temp + ",endpoint=server,verify-peer=on";
    String theirs = "tls-creds-x509,id=tls0,dir=" + temp + ",endpoint=client";
    try (Peer peer = serve(server, ours)) {
      Ran good = list(client, theirs, "--tls-hostname", "localhost");
      assertThat(good.ok().out()).contains("exports available: 1").contains("size:  " + SIZE);
      Ran wrongName = list(client, theirs, "--tls-hostname", "elsewhere");
      assertThat(wrongName.exitCode()).isNotZero();
      assertThat(wrongName.err()).contains("Certificate does not match the hostname elsewhere");
      Ran clear = client.run("qemu-nbd", "-L", "-k", socket.toString());
      assertThat(clear.exitCode()).isNotZero();
      assertThat(clear.err()).contains("TLS negotiation required before option");
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void aClientIsAdmittedByName(Side server, Side client) throws Exception {
    new KeyFiles(temp).certificates();
    String ours = "tls-creds-x509,id=tls0,dir=" + temp + ",endpoint=server,verify-peer=on";
    String theirs = "tls-creds-x509,id=tls0,dir=" + temp + ",endpoint=client";
    String right = "authz-simple,id=az,identity=O=Test,,CN=client";
    try (Peer peer = serve(server, ours, "--object", right, "--tls-authz", "az")) {
      assertThat(list(client, theirs, "--tls-hostname", "localhost").ok().out())
          .contains("exports available: 1");
      assertThat(peer.process().isAlive()).isTrue();
    }
    String wrong = "authz-simple,id=az,identity=CN=other";
    try (Peer peer = serve(server, ours, "--object", wrong, "--tls-authz", "az")) {
      assertThat(list(client, theirs, "--tls-hostname", "localhost").exitCode()).isNotZero();
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "QEMU,HAWSER,1.2",
    "QEMU,HAWSER,1.3",
    "HAWSER,QEMU,1.2",
    "HAWSER,QEMU,1.3",
    "HAWSER,HAWSER,1.3"
  })
  void sharedKeysEncryptToo(Side server, Side client, String version) throws Exception {
    Path good = Files.createDirectory(temp.resolve("good"));
    Path bad = Files.createDirectory(temp.resolve("bad"));
    new KeyFiles(good).sharedKey();
    new KeyFiles(bad).sharedKey();
    // QEMU's side then agrees to nothing else; ours offers both.
    String only = ",priority=NORMAL:-VERS-ALL:+VERS-TLS" + version;
    String ours =
        "tls-creds-psk,id=tls0,dir="
            + good
            + ",endpoint=server"
            + (server == Side.QEMU ? only : "");
    try (Peer peer = serve(server, ours)) {
      String theirs =
          "tls-creds-psk,id=tls0,endpoint=client,username=%s%s,dir="
              .formatted(KeyFiles.USER, client == Side.QEMU ? only : "");
      assertThat(list(client, theirs + good).ok().out()).contains("exports available: 1");
      assertThat(list(client, theirs + bad).exitCode()).isNotZero();
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void nobodyNeedsAName(Side server, Side client) {
    try (Peer peer = serve(server, "tls-creds-anon,id=tls0,endpoint=server")) {
      String theirs = "tls-creds-anon,id=tls0,endpoint=client";
      assertThat(list(client, theirs).ok().out()).contains("size:  " + SIZE);
      Ran clear = client.run("qemu-nbd", "-L", "-k", socket.toString());
      assertThat(clear.err()).contains("TLS negotiation required before option");
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void aStrangersCertificateIsTakenOnlyUnverified(Side server, Side client) throws Exception {
    new KeyFiles(temp).certificates();
    Path other = Files.createDirectory(temp.resolve("other"));
    new KeyFiles(other).certificates();
    String ours = "tls-creds-x509,id=tls0,dir=" + temp + ",endpoint=server,verify-peer=off";
    String theirs = "tls-creds-x509,id=tls0,dir=" + other + ",endpoint=client,verify-peer=";
    try (Peer peer = serve(server, ours)) {
      Ran judged = list(client, theirs + "on", "--tls-hostname", "localhost");
      assertThat(judged.exitCode()).isNotZero();
      assertThat(judged.err()).contains("The certificate hasn't got a known issuer");
      assertThat(list(client, theirs + "off").ok().out()).contains("exports available: 1");
      assertThat(peer.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU", "HAWSER"})
  void dataIsIntactThroughTls(Side server) throws Exception {
    new KeyFiles(temp).certificates();
    String ours = "tls-creds-x509,id=tls0,dir=" + temp + ",endpoint=server,verify-peer=on";
    Path copy = temp.resolve("copy.raw");
    try (Peer peer = serve(server, ours)) {
      String uri =
          "nbds+unix:///?socket=" + socket + "&tls-hostname=localhost&tls-certificates=" + temp;
      Side.HAWSER.run("nbdcopy", uri, copy.toString()).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      byte[] other = new byte[SIZE];
      new java.util.Random(4).nextBytes(other);
      Files.write(copy, other);
      Side.HAWSER.run("nbdcopy", "--flush", copy.toString(), uri).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      assertThat(peer.process().isAlive()).isTrue();
    }
  }
}
