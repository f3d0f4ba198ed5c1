package hawser.interop.fs;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Whose virtiofsd a test drives. The command lines are the same. */
public enum FsBackEnd {
  /** Rust's, as {@code testing/peers.sh} puts it. */
  VIRTIOFSD {
    @Override
    Peer start(List<String> options) {
      Path program = Side.ROOT.resolve("testing/target/virtiofsd/virtiofsd");
      Assumptions.assumeTrue(Files.isExecutable(program), "needs virtiofsd");
      var command = new ArrayList<>(List.of(program.toString(), "--sandbox=none"));
      command.addAll(options);
      return Peers.start(command);
    }
  },

  /** Ours, as a process of its own. */
  HAWSER {
    @Override
    Peer start(List<String> options) {
      return Side.HAWSER.start("virtiofsd", options.toArray(String[]::new));
    }
  };

  abstract Peer start(List<String> options);

  /** Serves a folder; listening when this returns. */
  public Peer serve(Path folder, Path socket, String... options) {
    var all = new ArrayList<String>();
    all.add("--socket-path=" + socket);
    all.add("--shared-dir=" + folder);
    all.addAll(List.of(options));
    return start(all).awaitSocket(socket);
  }
}
