package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What TLS needs, made by GnuTLS's certtool and psktool in one folder by QEMU's file names. */
record KeyFiles(Path folder) {
  /** The user whose shared key there is. */
  static final String USER = "alice";

  private static final String CERTIFIES = "ca\ncert_signing_key\n";
  private static final String SIGNS = "encryption_key\nsigning_key\n";

  /** An authority, a server called localhost and a client. */
  void certificates() throws IOException {
    template("ca", "cn = test ca", CERTIFIES);
    template("server", "cn = localhost\ndns_name = localhost\ntls_www_server", SIGNS);
    template("client", "cn = client\norganization = Test\ntls_www_client", SIGNS);
    key("ca");
    certtool("--generate-self-signed", "ca", "--load-privkey", file("ca-key.pem"));
    for (String end : new String[] {"server", "client"}) {
      key(end);
      certtool(
          "--generate-certificate",
          end,
          "--load-privkey",
          file(end + "-key.pem"),
          "--load-ca-privkey",
          file("ca-key.pem"),
          "--load-ca-certificate",
          file("ca-cert.pem"));
    }
  }

  /** A key of {@link #USER}; the file. */
  Path sharedKey() {
    Path keys = folder.resolve("keys.psk");
    Peers.run("psktool", "--username", USER, "--pskfile", keys.toString()).ok();
    assertThat(keys).isNotEmptyFile();
    return keys;
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private void template(String name, String who, String what) throws IOException {
    Files.writeString(folder.resolve(name + ".info"), who + "\n" + what + "expiration_days = 30\n");
  }

  private void key(String name) {
    Peers.run(
            "certtool",
            "--generate-privkey",
            "--key-type=rsa",
            "--bits=2048",
            "--outfile",
            file(name + "-key.pem"))
        .ok();
  }

  private void certtool(String what, String name, String... more) {
    var command = new java.util.ArrayList<>(java.util.List.of("certtool", what));
    command.addAll(java.util.List.of("--template", file(name + ".info")));
    command.addAll(java.util.List.of("--outfile", file(name + "-cert.pem")));
    command.addAll(java.util.List.of(more));
    Peers.run(command).ok();
  }
}
