package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * QEMU 10.0.2 opens its inflater with a window of 4 KiB and reads clusters whose deflate streams
 * look back 16 KiB all the same. Our compressor relies on that.
 */
class LongDistanceTest {
  private static final int CLUSTER = 65536;
  private static final int NOISE = 16384;
  private static final int CLUSTERS = 64;

  @Test
  void qemuReadsDistancesBeyondItsWindow(@TempDir Path folder) throws IOException {
    Peers.requires("qemu-img");
    Path raw = Files.write(folder.resolve("disk.raw"), repeatedNoise());
    Path packed = folder.resolve("disk.qcow2");
    Side.HAWSER
        .run("qemu-img", "convert", "-c", "-O", "qcow2", raw.toString(), packed.toString())
        .ok();
    // Within 4 KiB nothing repeats: only streams that look back 16 KiB are this small.
    assertThat(Files.size(packed)).isLessThan((long) CLUSTERS * CLUSTER / 2);
    Peers.run("qemu-img", "compare", raw.toString(), packed.toString()).ok();
    Peers.run("qemu-img", "check", packed.toString()).ok();
  }

  private static byte[] repeatedNoise() {
    var dice = new Random(16);
    var content = new byte[CLUSTERS * CLUSTER];
    for (int cluster = 0; cluster < content.length; cluster += CLUSTER) {
      var noise = new byte[NOISE];
      dice.nextBytes(noise);
      for (int at = 0; at < CLUSTER; at += NOISE) {
        System.arraycopy(noise, 0, content, cluster + at, NOISE);
      }
    }
    return content;
  }
}
