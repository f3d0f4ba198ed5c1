package hawser.block;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Block devices for tests, where this machine lets one make them. Used by one thread. */
final class LoopDevices {
  private static final List<Path> ATTACHED = new ArrayList<>();

  private LoopDevices() {}

  /** A device with the content of a file; skips the running test where that cannot be had. */
  static Path attach(Path file) throws IOException {
    String name;
    try {
      name = run("losetup", "--find", "--show", file.toString());
    } catch (IOException e) {
      Assumptions.abort("needs losetup: " + e.getMessage());
      throw e;
    }
    Assumptions.assumeTrue(name.startsWith("/dev/"), "needs a loop device: " + name);
    ATTACHED.add(Path.of(name));
    return attached();
  }

  /** The newest device. */
  static Path attached() {
    return ATTACHED.getLast();
  }

  /** Gives all devices back. */
  static void detach() throws IOException {
    for (Path device : ATTACHED) {
      run("losetup", "--detach", device.toString());
    }
    ATTACHED.clear();
  }

  private static String run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for losetup", e);
    }
    return output.strip();
  }
}
