package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.tools.sandbox.SandboxMode;
import java.nio.file.Path;

/**
 * The options that virtiofsd had when it came with QEMU, after {@code -o}, as libvirt passes them.
 */
final class FsLegacy {
  private FsLegacy() {}

  /** Reads one argument of {@code -o}. */
  static void read(String text, FsLine into) {
    for (String option : text.split(",", -1)) {
      int equals = option.indexOf('=');
      if (equals < 0) {
        flag(option, into);
      } else {
        value(option.substring(0, equals), option.substring(equals + 1), into);
      }
    }
  }

  private static void value(String name, String value, FsLine into) {
    switch (name) {
      case "source" -> into.folder = Path.of(value);
      case "cache" -> into.cache = FsLine.cache(value.equals("none") ? "never" : value);
      case "sandbox" ->
          into.process.mode = FsProcessLine.one("-o sandbox", SandboxMode.values(), value);
      case "log_level" ->
          FsLine.only("-o log_level", value, "err", "error", "warn", "info", "debug");
      default -> throw new UsageFault("-o: '%s' is not known".formatted(name));
    }
  }

  private static void flag(String option, FsLine into) {
    boolean on = !option.startsWith("no_");
    switch (on ? option : option.substring("no_".length())) {
      case "writeback" -> into.writeback = on;
      case "xattr" -> into.xattr = on;
      case "posix_acl" -> into.posixAcl = on;
      case "posix_lock" -> into.posixLock = on;
      case "flock" -> into.flock = on;
      case "readdirplus" -> into.readdirplus = on;
      case "announce_submounts" -> into.announceSubmounts = on;
      case "killpriv_v2" -> into.killprivV2 = on;
      case "allow_direct_io" -> into.allowDirectIo = on;
      default -> throw new UsageFault("-o: '%s' is not known".formatted(option));
    }
  }
}
