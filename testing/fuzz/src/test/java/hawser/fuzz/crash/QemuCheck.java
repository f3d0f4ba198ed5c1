package hawser.fuzz.crash;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.node.MemoryNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The second opinion on a few images, where QEMU is. */
record QemuCheck(Path folder) {
  /** QEMU finds leaks at most: exit code 0 or 3. */
  void findsLeaksAtMost(MemoryNode image) {
    if (Peers.find("qemu-img").isEmpty()) {
      return;
    }
    Path file = folder.resolve("state.qcow2");
    try {
      Files.deleteIfExists(file);
      image.save(file);
      Ran check = Peers.run("qemu-img", "check", "-f", "qcow2", file.toString());
      assertThat(check.exitCode()).as(check.all()).isIn(0, 3);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
