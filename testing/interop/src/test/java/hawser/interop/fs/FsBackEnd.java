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
      Assumptions.assumeTrue(isHere(), "needs virtiofsd");
      var command = new ArrayList<>(List.of(PROGRAM.toString(), "--sandbox=none"));
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

  /** Rust's. */
  static final Path PROGRAM = Side.ROOT.resolve("testing/target/virtiofsd/virtiofsd");

  /** Whether {@link #PROGRAM} is. */
  static boolean isHere() {
    return Files.isExecutable(PROGRAM);
  }

  /** The process that touches the files: the daemon itself, or what it keeps in a sandbox. */
  public static ProcessHandle serving(Peer daemon) {
    ProcessHandle at = daemon.process().toHandle();
    for (var next = at.children().findAny(); next.isPresent(); next = at.children().findAny()) {
      at = next.get();
    }
    return at;
  }

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
