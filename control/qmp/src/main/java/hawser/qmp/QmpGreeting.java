package hawser.qmp;

import java.util.List;

/**
 * What a server says first.
 *
 * @param major of QEMU's version
 * @param minor of QEMU's version
 * @param micro of QEMU's version
 * @param vendor the package's version, perhaps empty
 * @param capabilities what can be enabled; {@code oob} is the only one that exists
 */
public record QmpGreeting(
    int major, int minor, int micro, String vendor, List<String> capabilities) {
  /** Copies the list. */
  public QmpGreeting {
    capabilities = List.copyOf(capabilities);
  }
}
