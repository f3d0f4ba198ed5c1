package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        "--socket-path=S|2|--shared-dir is needed",
        "--shared-dir=D|2|one of --socket-path and --fd is needed",
        "--socket-path=S --shared-dir=/nowhere/at/all|1|/nowhere/at/all does not exist",
        "--socket-path=S --shared-dir=D --cache=some|2|--cache: 'some' is not never, metadata",
        "--socket-path=S --shared-dir=D --tag=|2|--tag: 0 bytes",
        "--socket-path=S --shared-dir=D --sandbox=jail|2|--sandbox: 'jail' is none of namespace,",
        "--socket-path=S --shared-dir=D --seccomp=all|2|--seccomp: 'all' is none of kill,",
        "--socket-path=S --shared-dir=D --log-level=loud|2|--log-level: 'loud' is none of off,",
        "--socket-path=S --shared-dir=D --uid-map=:0:1:2|2|--uid-map: ",
        "--socket-path=S --shared-dir=D --gid-map=odd|2|--gid-map: ",
        "--socket-path=S --shared-dir=D --rlimit-nofile=few|2|--rlimit-nofile: 'few'",
        "--socket-path=S --shared-dir=D --rlimit-nofile=100|1|Limit is 100, must be at least 610",
        "--socket-path=S --shared-dir=D --modcaps=chown|1|but found 'c'",
        "--socket-path=S --shared-dir=D --modcaps=+fly|1|invalid capability 'FLY'",
        "--socket-path=S --shared-dir=D --inode-file-handles=mandatory --modcaps=-dac_read_search"
            + "|1|can't disable DAC_READ_SEARCH when using --inode-file-handles",
        "--socket-path=S --shared-dir=D --inode-file-handles=some|2|--inode-file-handles: 'some'",
        "--socket-path=S --shared-dir=D --socket-group=nobody-s|1|Couldn't resolve the group name",
        "--socket-path=S --shared-dir=D -o sauce=/tmp|2|-o: 'sauce' is not known",
        "--socket-path=S --shared-dir=D -o sandbox=jail|2|-o sandbox: 'jail' is none of",
        "--socket-path=S --shared-dir=D --posix-acl --translate-uid=map:0:1:1|2|--posix-acl cannot",
        "--socket-path=S --shared-dir=D --translate-uid=map:0:1|2|--translate-uid: ",
        "--socket-path=S --shared-dir=D --translate-uid=map:0:1:1:|2|--translate-uid: ",
        "--socket-path=S --shared-dir=D --translate-gid=guest:4294967295:2:3|1|--translate-gid: ",
        "--socket-path=S --shared-dir=D --xattrmap=:odd:|2|--xattrmap: ",
        "--socket-path=S --shared-dir=D --nonsense|2|unrecognized option '--nonsense'",
        "--socket-path=S --shared-dir=D extra|2|unexpected argument 'extra'"
      })
  void whatCannotBeDoneIsRefusedAsByVirtiofsd(String line, int exitCode, String why) {
    String[] words =
        line.replace("path=S", "path=" + folder.resolve("s"))
            .replace("dir=D", "dir=" + folder)
            .split(" ");
    Ran ran = Side.HAWSER.run("virtiofsd", words);
    assertThat(ran.exitCode()).as("%s", ran).isEqualTo(exitCode);
    assertThat(ran.err()).contains(why);
    if (FsBackEnd.isHere()) {
      var command = new ArrayList<>(List.of(FsBackEnd.PROGRAM.toString()));
      command.addAll(List.of(words));
      assertThat(Peers.run(command).exitCode()).isEqualTo(exitCode);
    }
  }

  @Test
  void itSaysWhatItCanInVirtiofsdsWords() {
    Ran ours = Side.HAWSER.run("virtiofsd", "--print-capabilities").ok();
    assertThat(ours.out())
        .isEqualToIgnoringWhitespace(
            "{\"type\": \"fs\", \"features\": [\"migrate-precopy\", \"separate-options\"]}");
  }
}
