package hawser.tools.nbd;

import hawser.nbd.tls.TlsSide;
import hawser.tools.Command;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.util.List;

/** Serves a disk over NBD with qemu-nbd's command line, words and exit codes. */
public final class NbdProgram implements Program {
  @Override
  public String name() {
    return "nbd";
  }

  @Override
  public String messageName() {
    return "qemu-nbd";
  }

  @Override
  public List<Command> commands() {
    return List.of(NbdOptions.COMMAND);
  }

  @Override
  public int run(String[] args, Terminal io) {
    NbdLine line = NbdLine.parse(args, io);
    if (line.help) {
      io.print(NbdOptions.COMMAND.help("qemu-nbd"));
      return 0;
    }
    if (line.version) {
      io.line("qemu-nbd (Hawser) 0.1.0, answers to the command line of qemu-nbd 10.0.2");
      return 0;
    }
    TlsSide tls = new Credentials(line).side();
    if (line.list) {
      return new ListExports(line, io).run(tls);
    }
    if (line.fork && !Background.detached()) {
      return Background.start(line.verbose, io);
    }
    return new Serving(line, tls, io).run();
  }
}
