package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.ThreadCalls;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With {@code --syslog} the daemon tells the system's log, from inside its sandbox too. */
class SystemLogTest {
  /** A /dev of our own with a log of our own. */
  private static final String WITH_LOG =
      """
      cd "$1" && shift && mkdir dev || exit
      for each in null zero random urandom; do
        touch dev/$each && mount --bind /dev/$each dev/$each || exit
      done
      mount --rbind dev /dev
      socat -u UNIX-RECV:/dev/log OPEN:log,creat,append &
      while [ ! -S /dev/log ]; do :; done
      exec "$@"
      """;

  @TempDir Path folder;

  @Test
  void theSystemsLogIsTold() throws Exception {
    Assumptions.assumeTrue(ThreadCalls.userId() == 0, "needs root");
    Peers.requires("socat", "unshare");
    Path shared = Files.createDirectory(folder.resolve("shared"));
    var command = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", WITH_LOG, "sh"));
    command.add(folder.toString());
    command.addAll(
        Side.HAWSER.command(
            "virtiofsd",
            "--syslog",
            "--socket-path=" + folder.resolve("socket"),
            "--shared-dir=" + shared));
    try (Peer daemon = Peers.start(command)) {
      daemon.await("in the log", () -> log().contains("sandbox: sees nothing but the share"));
      // Its facility is that of daemons (3), its priority that of information (6).
      assertThat(log()).matches("(?s)<30>... .. ..:..:.. virtiofsd\\[1]: sandbox: .*");
      assertThat(daemon.err()).isEmpty();
    }
  }

  private String log() {
    Path log = folder.resolve("log");
    try {
      return Files.exists(log) ? Files.readString(log) : "";
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
