package hawser.interop.guest;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Whose daemon shares a folder with a guest. */
enum ShareDaemon {
  /** Rust's virtiofsd, which {@code testing/peers.sh} fetches. */
  VIRTIOFSD {
    @Override
    Peer serve(Path shared, Path socket, List<String> options) {
      Path program = Side.ROOT.resolve("testing/target/virtiofsd/virtiofsd");
      Assumptions.assumeTrue(Files.isExecutable(program), "needs virtiofsd");
      var line = new ArrayList<>(List.of(program.toString(), "--sandbox=none"));
      line.addAll(List.of("--socket-path=" + socket, "--shared-dir=" + shared));
      line.addAll(options);
      return Peers.start(line).awaitSocket(socket);
    }
  },
  /** Ours. */
  HAWSER {
    @Override
    Peer serve(Path shared, Path socket, List<String> options) {
      var line = new ArrayList<String>();
      line.addAll(List.of("--socket-path=" + socket, "--shared-dir=" + shared));
      line.addAll(options);
      return Side.HAWSER.start("virtiofsd", line.toArray(String[]::new)).awaitSocket(socket);
    }
  };

  /** Shares a folder; listening when this returns. */
  abstract Peer serve(Path shared, Path socket, List<String> options);
}
