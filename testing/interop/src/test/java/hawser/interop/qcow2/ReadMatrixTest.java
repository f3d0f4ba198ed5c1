package hawser.interop.qcow2;

import hawser.testkit.Peers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Images of every shape, made by qemu-img and qemu-io, read by us. */
class ReadMatrixTest {
  private static final long SEED = Long.getLong("hawser.seed", 20261122);

  @TempDir Path folder;

  static List<Shape> shapes() {
    return Shape.sample(SEED, 28);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void readsWhatQemuWrote(Shape shape) throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    System.out.println("seed " + SEED + " " + shape);
    var bench = new Workbench(folder, SEED + shape.hashCode());
    long size = shape.clusterBytes() == 512 ? 1_000_448 : 6 * 1024 * 1024 + 512;
    Path image = bench.create("image.qcow2", shape, size);
    bench.fill(image, "qcow2", size, shape.compressible());
    bench.assertReadsAsQemuSays(image);
  }
}
