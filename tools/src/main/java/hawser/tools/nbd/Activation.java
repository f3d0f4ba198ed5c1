package hawser.tools.nbd;

import hawser.base.UsageFault;
import java.util.Map;

/** Sockets that a service manager opened for us (LISTEN_FDS, LISTEN_PID; sd_listen_fds). */
final class Activation {
  private Activation() {}

  /** How many listening descriptors were handed over: 0 or 1. */
  static int descriptors(NbdLine line) {
    int count = descriptors(System.getenv(), ProcessHandle.current().pid());
    if (count == 0) {
      return 0;
    }
    String clash = clash(line);
    if (!clash.isEmpty()) {
      throw new UsageFault(clash + " when using socket activation");
    }
    if (count > 1) {
      throw new UsageFault("qemu-nbd does not support socket activation with LISTEN_FDS > 1");
    }
    return count;
  }

  private static String clash(NbdLine line) {
    if (line.kernelDevice) {
      return "NBD device can't be set";
    }
    if (line.socket != null) {
      return "Unix socket can't be set";
    }
    if (line.bind != null) {
      return "The interface can't be set";
    }
    return line.port != null ? "TCP port number can't be set" : "";
  }

  static int descriptors(Map<String, String> environment, long pid) {
    String forPid = environment.getOrDefault("LISTEN_PID", "");
    String count = environment.getOrDefault("LISTEN_FDS", "");
    if (!forPid.equals(String.valueOf(pid)) || !count.matches("\\d{1,4}")) {
      return 0;
    }
    return Integer.parseInt(count);
  }
}
