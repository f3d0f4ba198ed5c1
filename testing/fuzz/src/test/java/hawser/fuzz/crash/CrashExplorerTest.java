package hawser.fuzz.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small workloads, every state; a sample of the states judged by QEMU's checker too. */
class CrashExplorerTest {
  private static final long SEED = Long.getLong("hawser.seed", 1000);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
  void noCrashCorruptsOrLoses(int which) throws Exception {
    System.out.println("seed " + (SEED + which));
    long states = CrashExplorer.explore(SEED + which, 40, new QemuCheck(folder)::findsLeaksAtMost);
    assertThat(states).isGreaterThan(100);
  }
}
