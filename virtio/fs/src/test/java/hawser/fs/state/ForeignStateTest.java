package hawser.fs.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States of virtiofsd's that make no sense, and streams of QEMU's that hold more than one name. */
class ForeignStateTest {
  @TempDir Path folder;

  private static void refused(Postcard.Out state, String why) {
    assertThatThrownBy(
            () -> StateForms.read(new ByteArrayInputStream(state.toBytes()), new CountingSink()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(why);
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    refused(new Postcard.Out().number(0).number(1L << 40), "1099511627776 inodes in 0 bytes");
    refused(
        new Postcard.Out().number(0).number(1).number(1).number(2).number(Long.MIN_VALUE),
        "an inode's location is 9223372036854775808, not 0 to 4");
    refused(
        new Postcard.Out()
            .number(0)
            .number(0)
            .number(2)
            .number(1)
            .number(5)
            .number(1)
            .number(0)
            .number(1L << 34),
        "flags has more than 32 bits");
    assertThatThrownBy(
            () -> new Postcard(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, -1, 2}).number("number"))
        .hasMessage("number has more than 64 bits");
  }

  @Test
  void aNameInTheGuestsMemoryIsPassedOver() throws Exception {
    var state = new ByteArrayOutputStream();
    state.writeBytes("written by nobody".getBytes(StandardCharsets.US_ASCII));
    byte[] name = "\5\25vhost-user-fs-backend".getBytes(StandardCharsets.US_ASCII);
    var stream = new ByteArrayOutputStream();
    stream.writeBytes("QEVM....".getBytes(StandardCharsets.US_ASCII));
    stream.writeBytes(name);
    stream.writeBytes("this is only a page of the guest's".getBytes(StandardCharsets.US_ASCII));
    stream.writeBytes(new byte[2 << 20]);
    stream.writeBytes(name);
    stream.writeBytes(new byte[] {0, 0, 0, 1});
    stream.writeBytes(ByteBuffer.allocate(4).putInt(state.size()).array());
    stream.writeBytes(state.toByteArray());
    stream.writeBytes(new byte[4]);
    stream.writeBytes("what follows".getBytes(StandardCharsets.US_ASCII));
    Path file = Files.write(folder.resolve("stream"), stream.toByteArray());
    try (FileChannel channel = FileChannel.open(file)) {
      assertThat(QemuStream.begins(channel)).isTrue();
      assertThat(QemuStream.state(channel).readAllBytes()).isEqualTo(state.toByteArray());
    }
  }
}
