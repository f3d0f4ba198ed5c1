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
    findsLeaksAtMost(new Crash.Left(image, null));
  }

  /** The same of an image with its data file. */
  void findsLeaksAtMost(Crash.Left left) {
    if (Peers.find("qemu-img").isEmpty()) {
      return;
    }
    Path file = folder.resolve("state.qcow2");
    String opening = "driver=qcow2,file.driver=file,file.filename=" + file;
    try {
      save(left.image(), file);
      if (left.data() != null) {
        // By its name in the header QEMU would look for it in the working directory.
        Path data = folder.resolve("data");
        save(left.data(), data);
        opening += ",data-file.driver=file,data-file.filename=" + data;
      }
      Ran check = Peers.run("qemu-img", "check", "--image-opts", opening);
      assertThat(check.exitCode()).as(check.all()).isIn(0, 3);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void save(MemoryNode content, Path file) throws IOException {
    Files.deleteIfExists(file);
    content.save(file);
  }
}
