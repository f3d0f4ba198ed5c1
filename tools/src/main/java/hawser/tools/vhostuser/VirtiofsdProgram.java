package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.fs.dispatch.FsDevice;
import hawser.fs.passthrough.PassThrough;
import hawser.fs.passthrough.Rehearsal;
import hawser.sys.ThreadCalls;
import hawser.tools.Command;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** Shares a folder with a virtual machine over vhost-user, in virtiofsd's place. */
public final class VirtiofsdProgram implements Program {
  private static final Command TABLE =
      BackEndLine.command(
          "Share a folder with a virtual machine over vhost-user",
          FsLine.OPTIONS.toArray(Option[]::new));

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
    var can = new Capabilities("fs", List.of("migrate-precopy", "separate-options"));
    if (!common.read(args, TABLE, can, own::take)) {
      return 0;
    }
    own.check();
    // Permissions are the guest's to choose.
    ThreadCalls.umask(0);
    Consumer<String> log = line -> io.error(name() + ": " + line);
    try (PassThrough files =
        PassThrough.of(own.sharedFolder(), own.share(), own.migration(), log)) {
      var device = new FsDevice(files, own.tag(), own.queues(), log);
      rehearse(own, log);
      Path control = own.controlSocket();
      try (ControlSocket _ =
          control == null ? null : ControlSocket.listen(control, new FsAnswers(files), log)) {
        return ServedDevice.serve(device, common);
      }
    } catch (BlockFault e) {
      throw new UsageFault(e.getMessage());
    }
  }

  /** A guest may be about to arrive: its downtime is shorter when this is over. */
  private static void rehearse(FsLine line, Consumer<String> log) {
    Runnable rehearsal =
        () -> {
          try {
            Rehearsal.run(line.sharedFolder(), line.share());
          } catch (BlockFault | IOException e) {
            log.accept("getting ready for guests that arrive: " + e.getMessage());
          }
        };
    Thread.ofPlatform().daemon().name("fs-rehearsal").start(rehearsal);
  }

  static void checkTag(String tag) {
    int bytes = tag.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > FsDevice.TAG_BYTES_MAX) {
      throw new UsageFault("--tag: %d bytes, not 1 to %d".formatted(bytes, FsDevice.TAG_BYTES_MAX));
    }
  }
}
