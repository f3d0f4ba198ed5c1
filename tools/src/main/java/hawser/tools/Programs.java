package hawser.tools;

import hawser.tools.fsstate.FsStateProgram;
import hawser.tools.img.ImgProgram;
import hawser.tools.io.IoProgram;
import hawser.tools.nbd.NbdProgram;
import hawser.tools.nbdcopy.NbdcopyProgram;
import hawser.tools.nbdinfo.NbdinfoProgram;
import hawser.tools.up.UpProgram;
import hawser.tools.vhostuser.VhostUserBlkProgram;
import hawser.tools.vhostuser.VhostUserConsoleProgram;
import hawser.tools.vhostuser.VhostUserInputProgram;
import hawser.tools.vhostuser.VhostUserProgram;
import hawser.tools.vhostuser.VhostUserRngProgram;
import hawser.tools.vhostuser.VhostUserVsockProgram;
import hawser.tools.vhostuser.VirtiofsdProgram;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The table of programs. A plain switch, so that the classes of a program that does not run are
 * never loaded.
 */
public final class Programs {
  private Programs() {}

  /** The sub-commands of {@code hawser}, in the order in which help lists them. */
  public static final List<String> NAMES =
      List.of(
          "up",
          "img",
          "io",
          "nbd",
          "nbdinfo",
          "nbdcopy",
          "vhost-user-blk",
          "vhost-user-rng",
          "vhost-user-console",
          "vhost-user-input",
          "vhost-user-vsock",
          "virtiofsd",
          "fs-state",
          "vhost-user");

  /** The program of that sub-command, or the one that stands in for the original of that name. */
  public static @Nullable Program named(String name) {
    return switch (name) {
      case "up" -> new UpProgram();
      case "img", "qemu-img" -> new ImgProgram();
      case "nbd", "qemu-nbd" -> new NbdProgram();
      case "nbdinfo" -> new NbdinfoProgram();
      case "nbdcopy" -> new NbdcopyProgram();
      case "vhost-user-blk" -> new VhostUserBlkProgram();
      case "vhost-user" -> new VhostUserProgram();
      case "vhost-user-rng" -> new VhostUserRngProgram();
      case "vhost-user-console" -> new VhostUserConsoleProgram();
      case "vhost-user-input" -> new VhostUserInputProgram();
      case "fs-state" -> new FsStateProgram();
      case "vhost-user-vsock" -> new VhostUserVsockProgram();
      case "virtiofsd" -> new VirtiofsdProgram();
      case "io", "qemu-io" -> new IoProgram();
      default -> null;
    };
  }
}
