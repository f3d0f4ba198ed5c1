package hawser.interop.library;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Side;
import java.nio.file.Files;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/a-device.md builds the device that is compiled. */
class DevicePageTest {
  private static final Pattern BLOCK = Pattern.compile("(?s)```java\n(.*?)```");

  @Test
  void itsBlocksAreTheSource() throws Exception {
    String page = Files.readString(Side.ROOT.resolve("docs/a-device.md"));
    String blocks =
        BLOCK.matcher(page).results().map(found -> found.group(1)).collect(Collectors.joining());
    String source =
        Files.readString(
            Side.ROOT.resolve("virtio/devices/src/main/java/hawser/devices/rng/RngDevice.java"));
    assertThat(blocks).isEqualToIgnoringWhitespace(source);
    assertThat(source.lines().count()).isLessThan(100);
  }
}
