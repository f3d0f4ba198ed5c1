package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.UsageFault;
import hawser.nbd.NbdUri;
import hawser.tools.Command;
import hawser.tools.DiskOperand;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Copies a disk to or from an NBD server, with nbdcopy's command line. */
public final class NbdcopyProgram implements Program {
  /** For one call of the command line. */
  public NbdcopyProgram() {}

  @Override
  public String name() {
    return "nbdcopy";
  }

  @Override
  public List<Command> commands() {
    return List.of(CopyOptions.COMMAND);
  }

  @Override
  public int run(String[] args, Terminal io) {
    CopyOptions options = CopyOptions.parse(args, io);
    if (options.help) {
      io.print(CopyOptions.COMMAND.help("nbdcopy"));
      return 0;
    }
    if (options.version) {
      io.line("nbdcopy (Hawser) 0.1.0");
      return 0;
    }
    try {
      copy(options, io);
      return 0;
    } catch (BlockFault | PeerFault | IOException e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private static void copy(CopyOptions options, Terminal io) throws BlockFault, IOException {
    DiskOperand from = options.operands.get(0);
    DiskOperand to = options.operands.get(1);
    try (End source = source(from, options)) {
      long size = size(source);
      try (End target = target(to, options, size)) {
        check(source, target, size);
        boolean fresh =
            target instanceof End.Local
                && to instanceof DiskOperand.Named(String name)
                && Files.isRegularFile(Path.of(name));
        try (var progress = Progress.of(options, size, io)) {
          if (source instanceof End.Stream || target instanceof End.Stream) {
            new StreamCopy(source, target, options, io, progress).run(size);
          } else {
            boolean zero = options.destinationIsZero || fresh;
            new LaneCopy(source, target, options, zero, progress).run(size);
          }
        }
      }
    }
  }

  private static End source(DiskOperand from, CopyOptions options) {
    return switch (from) {
      case DiskOperand.Launched(var command) -> End.Server.launch(command);
      case DiskOperand.Named(String name) when name.equals("-") -> new End.Stream();
      case DiskOperand.Named(String name) when name.equals("null:") ->
          throw new UsageFault("null: can only be the destination");
      case DiskOperand.Named(String name) when NbdUri.looksLike(name) ->
          End.Server.connect(name, options.connections);
      case DiskOperand.Named(String name) -> End.Local.open(name, false);
    };
  }

  private static End target(DiskOperand to, CopyOptions options, long size) {
    return switch (to) {
      case DiskOperand.Launched(var command) -> End.Server.launch(command);
      case DiskOperand.Named(String name) when name.equals("-") -> new End.Stream();
      case DiskOperand.Named(String name) when name.equals("null:") -> new End.Nowhere();
      case DiskOperand.Named(String name) when NbdUri.looksLike(name) ->
          End.Server.connect(name, options.connections);
      case DiskOperand.Named(String name) -> End.Local.create(name, Math.max(0, size));
    };
  }

  /** The bytes to copy; -1 when only the end of the stream will tell. */
  private static long size(End source) throws BlockFault {
    return switch (source) {
      case End.Server server -> server.connections().getFirst().server().size();
      case End.Local(var node, var _) -> node.length();
      case End.Stream _, End.Nowhere _ -> -1;
    };
  }

  private static void check(End source, End target, long size) throws BlockFault {
    if (target instanceof End.Server server) {
      if (server.can(hawser.nbd.TransmissionFlags.READ_ONLY)) {
        throw new UsageFault("the destination server is read-only");
      }
      long room = server.connections().getFirst().server().size();
      if (size > room) {
        throw new UsageFault(
            "error: destination size is smaller than source size (%d < %d)".formatted(room, size));
      }
    }
    if (target instanceof End.Local(var node, var _)
        && !(source instanceof End.Stream)
        && node.length() < size) {
      throw new UsageFault("error: destination size is smaller than source size");
    }
  }
}
