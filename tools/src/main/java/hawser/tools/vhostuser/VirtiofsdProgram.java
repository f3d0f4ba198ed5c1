package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.UsageFault;
import hawser.fs.dispatch.FsDevice;
import hawser.fs.passthrough.PassThrough;
import hawser.fs.passthrough.Rehearsal;
import hawser.sys.ThreadCalls;
import hawser.tools.Command;
import hawser.tools.Program;
import hawser.tools.Terminal;
import hawser.tools.sandbox.Confined;
import hawser.tools.sandbox.Sandbox;
import hawser.tools.sandbox.SandboxMode;
import hawser.tools.supervise.Supervision;
import hawser.tools.supervise.Supervisor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Shares a folder with a virtual machine over vhost-user, in virtiofsd's place. */
public final class VirtiofsdProgram implements Program {
  private static final Command TABLE =
      BackEndLine.command(
          "Share a folder with a virtual machine over vhost-user", FsLine.options());

  /** What virtiofsd's reader of command lines ends with. */
  private static final int WRONG_LINE = 2;

  /** For one call of the command line. */
  public VirtiofsdProgram() {}

  @Override
  public String name() {
    return "virtiofsd";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var common = new BackEndLine(name(), io);
    var own = new FsLine();
    try {
      var can = new Capabilities("fs", List.of("migrate-precopy", "separate-options"));
      if (!common.read(args, TABLE, can, own::take)) {
        return 0;
      }
      own.check();
    } catch (UsageFault fault) {
      throw new UsageFault(String.valueOf(fault.getMessage()), WRONG_LINE);
    }
    Path share = share(own.sharedFolder());
    Sandbox sandbox = own.process.sandbox();
    own.process.limitOpenFiles();
    try {
      int socket = socket(common, own.process);
      common.log = own.process.log(io);
      boolean supervised = own.process.supervise;
      if (supervised && Sandbox.isFirstStage()) {
        throw sandbox.becomeSupervisor(socket);
      }
      if (supervised && Sandbox.isSupervisor()) {
        return Supervisor.run(socket, sockets(common, own), common.log);
      }
      // The supervisor's are not a worker's to remove.
      List<Path> leftovers = supervised ? List.of() : sockets(common, own);
      OptionalInt ended = sandbox.launch(share, socket, leftovers);
      if (ended.isPresent()) {
        return ended.getAsInt();
      }
      return serve(common, own, sandbox, share, socket, io);
    } catch (BlockFault e) {
      throw new UsageFault(e.getMessage());
    }
  }

  private static List<Path> sockets(BackEndLine common, FsLine own) {
    return Stream.of(Optional.ofNullable(common.socketPath), own.controlSocket())
        .flatMap(Optional::stream)
        .toList();
  }

  private static Path share(Path folder) {
    try {
      Path real = folder.toRealPath();
      if (!Files.isDirectory(real)) {
        throw new UsageFault(folder + " is not a directory");
      }
      return real;
    } catch (IOException e) {
      throw new UsageFault(folder + " does not exist");
    }
  }

  /** Serves as the daemon; what is outside the share is opened first. */
  private static int serve(
      BackEndLine common, FsLine own, Sandbox sandbox, Path share, int socket, Terminal io)
      throws BlockFault {
    Supervision supervision = own.process.supervise ? Supervision.over(socket) : null;
    if (supervision != null && sandbox.mode() == SandboxMode.NAMESPACE) {
      supervision.keepMounts();
    }
    ThreadCalls.umask(FsSocket.OWNER_ONLY);
    try (ControlSocket questions =
        own.controlSocket().map(path -> ControlSocket.open(path, common.log)).orElse(null)) {
      // Permissions are the guest's to choose.
      ThreadCalls.umask(0);
      Confined confined = sandbox.enter(share);
      own.process.inform(confined.inForce(), io);
      try (PassThrough files = files(confined.share(), own, supervision, common.log)) {
        if (questions != null) {
          questions.answer(new FsAnswers(files));
        }
        var device = new FsDevice(files, own.tag(), own.queues(), common.log);
        if (supervision != null) {
          if (!supervision.isSuccessor()) {
            rehearse(confined.share(), own, common.log);
          }
          return ServedDevice.serve(device, common, supervision.socket(), List.of());
        }
        rehearse(confined.share(), own, common.log);
        // In the other sandboxes those paths lead somewhere else, or nowhere.
        List<Path> leftovers =
            sandbox.mode() == SandboxMode.NONE ? sockets(common, own) : List.of();
        return ServedDevice.serve(device, common, socket, leftovers);
      }
    }
  }

  private static PassThrough files(
      Path share, FsLine own, @Nullable Supervision supervision, Consumer<String> log)
      throws BlockFault {
    return supervision == null
        ? PassThrough.of(share, own.share(), own.migration(), log)
        : PassThrough.of(share, own.share(), own.migration(), supervision.succession(), log);
  }

  /** A guest may be about to arrive: its downtime is shorter when this is over. */
  private static void rehearse(Path share, FsLine line, Consumer<String> log) {
    Runnable rehearsal =
        () -> {
          try {
            Rehearsal.run(share, line.share());
          } catch (BlockFault | PeerFault | IOException e) {
            log.accept("getting ready for guests that arrive: " + e.getMessage());
          }
        };
    Thread.ofPlatform().daemon().name("fs-rehearsal").start(rehearsal);
  }

  /** The socket to serve, opened in the first stage, where its path and its network are. */
  private static int socket(BackEndLine common, FsProcessLine process) throws BlockFault {
    int opened = Sandbox.socketOfStage();
    Path path = common.socketPath;
    if (opened >= 0 || path == null) {
      return opened >= 0 ? opened : common.fd;
    }
    return FsSocket.listen(path, process.socketGroup());
  }

  static void checkTag(String tag) {
    int bytes = tag.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > FsDevice.TAG_BYTES_MAX) {
      throw new UsageFault("--tag: %d bytes, not 1 to %d".formatted(bytes, FsDevice.TAG_BYTES_MAX));
    }
  }
}
