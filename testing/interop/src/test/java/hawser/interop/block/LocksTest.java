package hawser.interop.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Image locks: we refuse what QEMU holds, and QEMU refuses what we hold. */
class LocksTest {
  private static final String WRITE = "Failed to get \"write\" lock";
  private static final String SHARED_WRITE = "Failed to get shared \"write\" lock";

  private final Opener opener = new Opener(OpenPolicy.ANYTHING);
  @TempDir Path folder;
  private Path image;

  @BeforeEach
  void makeImage() {
    Peers.requires("qemu-img", "qemu-io");
    image = folder.resolve("disk.qcow2");
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "1M").ok();
  }

  private static String hint(Path file) {
    return "\nIs another process using the image [" + file + "]?";
  }

  /** A qemu-io that has the image open for writing until it is closed. */
  private Peer holder() {
    Peer peer = Peers.start("qemu-io", "-f", "qcow2", "-c", "sleep 1000000", image.toString());
    return peer.await("holding the image", () -> locked(image));
  }

  private static boolean locked(Path file) {
    try {
      String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
      return Files.readString(Path.of("/proc/locks")).contains(inode);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void refusesWhatQemuWrites(boolean quick) throws Exception {
    OpenMode read = OpenMode.READ.withQuick(quick);
    try (Peer peer = holder()) {
      assertThat(peer.process().isAlive()).isTrue();
      assertThatThrownBy(() -> opener.open(image.toString(), "qcow2", read))
          .isInstanceOf(BlockFault.class)
          .hasMessage(SHARED_WRITE + hint(image));
      assertThatThrownBy(
              () -> opener.open(image.toString(), "raw", OpenMode.WRITE.withQuick(quick)))
          .isInstanceOf(BlockFault.class)
          .hasMessage(WRITE + hint(image));
      try (BlockNode shared = opener.open(image.toString(), "qcow2", read.withForceShare(true))) {
        assertThat(shared.length()).isEqualTo(1 << 20);
      }
      try (BlockNode plain =
          opener.open(
              "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"locking\":\"off\","
                  + "\"filename\":\""
                  + image
                  + "\"}}",
              null,
              read)) {
        assertThat(plain.readOnly()).isTrue();
      }
    }
    opener.open(image.toString(), "qcow2", read).close();
  }

  /** What we hold, what qemu-io then asks for, and its answer. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "qcow2|true||Failed to get \"write\" lock",
        "qcow2|true|-r|Failed to get shared \"write\" lock",
        "qcow2|true|-r -U|",
        "qcow2|false||Failed to get \"write\" lock",
        "qcow2|false|-r|",
      })
  void qemuRefusesWhatWeHold(String format, boolean writable, String options, String answer)
      throws Exception {
    OpenMode mode = writable ? OpenMode.WRITE : OpenMode.READ;
    try (BlockNode held = opener.open(image.toString(), format, mode)) {
      assertThat(held.readOnly()).isEqualTo(!writable);
      String given = options == null ? "" : options;
      Ran ran =
          Peers.run(
              "sh", "-c", "exec qemu-io " + given + " -f qcow2 -c length \"$0\"", image.toString());
      if (answer == null) {
        assertThat(ran.out()).isEqualTo("1 MiB\n");
      } else {
        assertThat(ran.err())
            .isEqualTo("qemu-io: can't open device " + image + ": " + answer + hint(image) + "\n");
      }
    }
    Peers.run("qemu-io", "-f", "qcow2", "-c", "length", image.toString()).ok();
  }

  @Test
  void rawToolsShareAsQemusDo() throws Exception {
    Path raw = folder.resolve("disk.raw");
    Files.write(raw, new byte[1 << 20]);
    try (BlockNode first = opener.open(raw.toString(), "raw", OpenMode.WRITE);
        BlockNode second = opener.open(raw.toString(), "raw", OpenMode.WRITE)) {
      assertThat(first.length()).isEqualTo(second.length());
      Peers.run("qemu-io", "-f", "raw", "-c", "write 0 512", raw.toString()).ok();
    }
  }
}
