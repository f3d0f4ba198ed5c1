package hawser.tools.up;

import hawser.base.BlockFault;
import hawser.base.Size;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Permissions;
import hawser.sys.Linux;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Programs;
import hawser.tools.StopSignal;
import hawser.tools.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Serves one disk over NBD, on a unix socket and on this machine's port, until a signal comes. With
 * no image it makes one.
 */
public final class UpProgram implements Program {
  /** Where the disk and the socket are put, in the current folder. */
  static final Path DATA = Path.of("hawser-data");

  private static final String DISK_SIZE = "10G";

  /** The port that the protocol's registration names. */
  static final int PORT = 10809;

  private static final Command TABLE =
      new Command(
          "",
          "Serve a disk over NBD; without IMAGE, " + DATA + "/disk.qcow2, made when it is absent",
          "[IMAGE]",
          List.of(
              Option.value('f', "format", "FMT", "the image's format; without it, it is probed"),
              Option.flag('r', "read-only", "let clients only read"),
              Option.value('k', "socket", "PATH", "the unix socket; " + DATA + "/nbd.sock"),
              Option.value(
                  "blk-socket",
                  "PATH",
                  "the socket for a guest's disk; beside the other, blk.sock"),
              Option.value(
                  "share", "DIR", "also share a folder with guests, on fs.sock beside the others"),
              Option.value('p', "port", "PORT", "the port on 127.0.0.1; " + PORT + "; 0 picks one"),
              Option.flag('h', "help", "print this help and exit")));

  private @Nullable String format;
  private boolean readOnly;
  private Path socket = DATA.resolve("nbd.sock");
  private @Nullable Path blkSocket;
  private @Nullable Path share;
  private int port = PORT;

  @Override
  public String name() {
    return "up";
  }

  @Override
  public String messageName() {
    return "hawser up";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    String hint = "Try 'hawser up --help'";
    var line = new Getopt("hawser up", hint, TABLE.options(), args, io);
    while (line.next()) {
      switch (line.key()) {
        case "f" -> format = line.value();
        case "r" -> readOnly = true;
        case "k" -> socket = Path.of(line.value());
        case "blk-socket" -> blkSocket = Path.of(line.value());
        case "share" -> share = Path.of(line.value());
        case "p" -> port = port(line.value());
        case "h" -> {
          io.print(TABLE.help("hawser up"));
          return 0;
        }
        default -> throw line.unhandled();
      }
    }
    if (line.operands().size() > 1) {
      throw new UsageFault("one image at a time\n" + hint);
    }
    try {
      return up(line.operands().isEmpty() ? ownDisk(io) : line.operands().getFirst(), io);
    } catch (BlockFault fault) {
      throw new UsageFault(fault.getMessage());
    }
  }

  private Path blkSocket() {
    Path wanted = blkSocket == null ? socket.resolveSibling("blk.sock") : blkSocket;
    return wanted.toAbsolutePath();
  }

  private @Nullable SharedFolder share(Terminal io) throws BlockFault {
    Path wanted = share;
    if (wanted == null) {
      return null;
    }
    if (!Linux.available()) {
      throw new UsageFault("--share needs Linux");
    }
    try {
      return new SharedFolder(
          wanted.toRealPath(), socket.resolveSibling("fs.sock").toAbsolutePath(), io::error);
    } catch (IOException e) {
      throw new UsageFault("--share: %s does not exist".formatted(wanted));
    }
  }

  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      if (port >= 0 && port <= 65535) {
        return port;
      }
    } catch (NumberFormatException e) {
      throw new UsageFault("port '" + text + "' is not a number");
    }
    throw new UsageFault("port " + text + " is not in 0..65535");
  }

  /** The disk of this folder, made if it is not there. */
  private String ownDisk(Terminal io) {
    Path disk = DATA.resolve("disk.qcow2");
    format = "qcow2";
    if (!Files.exists(disk)) {
      String[] create = {"create", "-q", "-f", "qcow2", disk.toString(), DISK_SIZE};
      makeFolder(DATA);
      if (Objects.requireNonNull(Programs.named("img")).run(create, io) != 0) {
        throw new UsageFault("could not make " + disk);
      }
      io.line("made " + disk + ": " + DISK_SIZE + " that takes room as it is written");
    }
    return disk.toString();
  }

  private static void makeFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UsageFault("could not make the folder " + folder + ": " + e.getMessage());
    }
  }

  private int up(String image, Terminal io) throws BlockFault {
    Path folder = socket.toAbsolutePath().getParent();
    if (folder != null) {
      makeFolder(folder);
    }
    var opener = new Opener(OpenPolicy.ANYTHING).warning(io::error);
    OpenMode mode =
        readOnly
            ? OpenMode.READ
            : OpenMode.WRITE.withUnmap(true).withPermissions(Permissions.ONLY_WRITER);
    // Signals are caught before the disk is opened, so that it is closed whenever one comes.
    try (var signal = new StopSignal()) {
      try (BlockNode disk = opener.open(image, format, mode);
          var service = new Service(disk, socket.toAbsolutePath(), port, blkSocket(), io);
          SharedFolder shared = share(io)) {
        io.line(
            "serving %s (%s, %s%s)"
                .formatted(
                    image,
                    disk.driver(),
                    Size.human(disk.length()),
                    disk.readOnly() ? ", read-only" : ""));
        Invitation.print(service, shared, io);
        signal.await();
        io.line("stopping");
        io.flush();
      } catch (InterruptedException e) {
        throw new AssertionError("nobody interrupts the main thread", e);
      } catch (BlockFault | UsageFault fault) {
        signal.exitWith(1);
        throw fault;
      }
      io.line("stopped; the disk is flushed and closed");
      io.flush();
    }
    return 0;
  }
}
