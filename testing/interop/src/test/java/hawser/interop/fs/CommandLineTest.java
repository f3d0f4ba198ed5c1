package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** virtiofsd's command lines, today's and those of the one that came with QEMU. */
class CommandLineTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "--shared-dir=SHARED --sandbox=none --seccomp=none --thread-pool-size=4 --log-level=debug -f",
    "-o source=SHARED,cache=none,xattr,no_writeback,posix_lock,flock,sandbox=none -d",
    "--shared-dir SHARED --cache always --no-announce-submounts --inode-file-handles=prefer"
  })
  void aShareIsServed(String line) throws Exception {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Path socket = folder.resolve("socket");
    String[] options =
        (line.replace("SHARED", shared.toString()) + " --socket-path=" + socket).split(" ");
    try (Peer peer = Side.HAWSER.start("virtiofsd", options).awaitSocket(socket)) {
      try (FuseClient client = FuseClient.connect(socket, 1)) {
        assertThat(client.operations()).isNotNull();
      }
      assertThat(peer.terminate()).as(peer.err()).isZero();
    }
    assertThat(socket).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--socket-path=S|--shared-dir is needed",
        "--socket-path=S --shared-dir=/nowhere/at/all|cannot share /nowhere/at/all",
        "--socket-path=S --shared-dir=/tmp --cache=some|--cache: 'some' is not never, metadata",
        "--socket-path=S --shared-dir=/tmp --sandbox=chroot|--sandbox: 'chroot' is not here",
        "--socket-path=S -o sauce=/tmp|-o: 'sauce' is not known",
        "--socket-path=S --shared-dir=/tmp --posix-acl --translate-uid=map:0:1:1|--posix-acl cannot",
        "--socket-path=S --shared-dir=/tmp --translate-uid=map:0:1|--translate-uid: ",
        "--socket-path=S --shared-dir=/tmp --xattrmap=:odd:|--xattrmap: ",
        "--shared-dir=/tmp|one of --socket-path and --fd is needed"
      })
  void whatCannotBeDoneIsRefused(String line, String why) {
    Ran ran = Side.HAWSER.run("virtiofsd", line.split(" "));
    assertThat(ran.exitCode()).as("%s", ran).isEqualTo(1);
    assertThat(ran.err()).contains(why);
  }

  @Test
  void itSaysWhatItCanInVirtiofsdsWords() {
    Ran ours = Side.HAWSER.run("virtiofsd", "--print-capabilities").ok();
    assertThat(ours.out())
        .isEqualToIgnoringWhitespace(
            "{\"type\": \"fs\", \"features\": [\"migrate-precopy\", \"separate-options\"]}");
  }
}
