package hawser.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of images that say that they are dirty. */
class RefcountRebuildTest {
  private static final int CLUSTER = 65536;

  @TempDir Path folder;

  private static BlockNode open(String options) throws BlockFault {
    return new Opener(OpenPolicy.NOTHING).open(Options.parse(options), OpenMode.WRITE);
  }

  /** Two guest clusters in one place, and a refcount that counts to one. */
  @Test
  void referencesThatNoRefcountHoldsAreRefusedAndLeftAlone() throws Exception {
    Path file = folder.resolve("image.qcow2");
    Files.write(file, new byte[0]);
    try (BlockNode image = open("driver=file,filename=" + file)) {
      Qcow2Creator.create(Qcow2Options.of(4 * CLUSTER).withVersion(3, 1), image, null);
    }
    try (BlockNode disk = open("driver=qcow2,file.filename=" + file);
        var arena = Arena.ofConfined()) {
      disk.write(arena.allocate(CLUSTER).fill((byte) 1), 0, 0);
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    int l2 = (int) (bytes.getLong((int) bytes.getLong(40)) & 0x00fffffffffffe00L);
    bytes.putLong(l2 + 8, bytes.getLong(l2));
    bytes.putLong(72, 1);
    Files.write(file, bytes.array());

    assertThatThrownBy(() -> open("driver=qcow2,file.filename=" + file))
        .hasMessageContaining("Could not repair dirty image")
        .hasMessageContaining("has 2 references, a refcount holds 1");
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes.array());
  }
}
