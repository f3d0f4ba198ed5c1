package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a test says to a guest arrives whole. */
class ControlLineTest {
  @TempDir Path folder;

  /** The shell of busybox starts a line again that it is reading when a child of its own ends. */
  @Test
  void linesArriveWholeWhileJobsEnd() throws Exception {
    String text = "whole".repeat(100);
    try (Machine guest = Machine.wake(folder)) {
      for (int i = 0; i < 20; i++) {
        guest.run("(for i in 1 2 3 4 5 6 7 8; do (usleep ${i}0000) & done)").ok();
        for (int line = 0; line < 10; line++) {
          assertThat(guest.run("echo " + text).ok().out().strip()).isEqualTo(text);
        }
      }
    }
  }
}
