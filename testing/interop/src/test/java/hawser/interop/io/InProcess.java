package hawser.interop.io;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Runs qemu-io as a process and ours within this one, for tests with hundreds of runs. */
final class InProcess {
  private InProcess() {}

  static Ran ioOf(Side side, List<String> arguments) {
    if (side == Side.QEMU) {
      var command = new ArrayList<>(List.of("qemu-io"));
      command.addAll(arguments);
      return Peers.run(command);
    }
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var io =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    int code = Main.run(arguments.toArray(String[]::new), "qemu-io", io);
    io.flush();
    return new Ran(
        arguments,
        code,
        out.toString(StandardCharsets.UTF_8),
        err.toString(StandardCharsets.UTF_8));
  }
}
