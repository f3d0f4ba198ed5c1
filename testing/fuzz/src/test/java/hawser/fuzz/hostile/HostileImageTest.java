package hawser.fuzz.hostile;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.Preallocation;
import hawser.fuzz.ImageTarget;
import hawser.fuzz.MemoryDriver;
import hawser.fuzz.SeedImage;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Images that were made to hurt: opening, describing, reading, checking and inspecting them ends
 * with the image's content or with a fault, in the little memory that this test has.
 */
class HostileImageTest {
  private static final int HEADER_BYTES = 152;
  private static final int L1_AT = 3 * 512;
  private static final int L2_AT = 4 * 512;

  @TempDir Path temp;

  private static void hurt(byte[] image) {
    ImageTarget.fuzzerTestOneInput(image);
  }

  @Test
  void truncatedAtEveryLength() {
    byte[] whole = SeedImage.full();
    for (int length = 0; length < whole.length; length++) {
      hurt(Arrays.copyOf(whole, length));
    }
    assertThat(ImageTarget.tryAll(MemoryDriver.file(whole))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0x7f, 0x80, 0xff})
  void everyHeaderByteSetTo(int value) {
    for (byte[] whole : new byte[][] {SeedImage.full(), SeedImage.subclusters()}) {
      for (int at = 0; at < HEADER_BYTES; at++) {
        byte[] image = whole.clone();
        image[at] = (byte) value;
        hurt(image);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0x7f, 0x80, 0xff})
  void everyMappingByteSetTo(int value) {
    for (int at = L1_AT; at < L2_AT + 64; at++) {
      byte[] image = SeedImage.full();
      image[at] = (byte) value;
      hurt(image);
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 4, 5, 23, 25, 360, 361, 511, 512, 4096, 1 << 20, -1, -8, Integer.MIN_VALUE})
  void extensionLengths(int length) {
    for (int at : new int[] {116, 148}) {
      hurt(with(SeedImage.full(), at, length));
    }
  }

  @ParameterizedTest
  @CsvSource({"36", "56", "60", "20", "96", "100", "16"})
  void giantClaims(int field) {
    for (int claim :
        new int[] {-1, Integer.MAX_VALUE, 1 << 30, 1 << 24, 1 << 22, 65536, 65537, 16384}) {
      hurt(with(SeedImage.full(), field, claim));
      hurt(with(SeedImage.plain(), field, claim));
    }
  }

  @Test
  void giantBitmapClaims() {
    for (long claim : new long[] {-1, 1L << 62, 1L << 32, 64 << 20, 1024L * 65535, 1 << 20}) {
      byte[] image = SeedImage.full();
      ByteBuffer.wrap(image).putLong(128, claim);
      hurt(image);
    }
    for (int count : new int[] {-1, 65535, 65536, 1 << 30}) {
      hurt(with(SeedImage.full(), 120, count));
    }
  }

  @Test
  void tablesThatAreOneAnother() {
    byte[] sound = SeedImage.full();
    for (int from = 0; from < sound.length; from += 512) {
      for (int field : new int[] {40, 48, 64, 136}) {
        byte[] image = sound.clone();
        ByteBuffer.wrap(image).putLong(field, from);
        hurt(image);
      }
      byte[] looped = sound.clone();
      ByteBuffer.wrap(looped).putLong(L1_AT, 1L << 63 | from).putLong(L1_AT + 8, from);
      hurt(looped);
      for (int entry = 0; entry < 8; entry++) {
        byte[] overlapping = sound.clone();
        ByteBuffer.wrap(overlapping).putLong(L2_AT + 8 * entry, 1L << 63 | from);
        hurt(overlapping);
        ByteBuffer.wrap(overlapping).putLong(L2_AT + 8 * entry, 1L << 62 | from + 17);
        hurt(overlapping);
      }
    }
  }

  @Test
  void aSparseFileOfExbibytesCostsNothing() {
    var file = MemoryDriver.file(SeedImage.full());
    var huge = MemoryDriver.file(SeedImage.plain());
    file.resize(1L << 39, Preallocation.OFF);
    huge.resize(1L << 62, Preallocation.OFF);
    ImageTarget.tryAll(file);
    ImageTarget.tryAll(huge);
  }

  @Test
  void commandsOverManyBrokenFilesLeaveNothingOpenAndNoThread() throws IOException {
    byte[] sound = SeedImage.full();
    Path file = temp.resolve("hostile.qcow2");
    // Once before counting, so that what stays open for good is open.
    run(file, sound);
    long descriptors = descriptors();
    long threads = threads();
    long mappings = mappings();
    for (int at = 0; at < HEADER_BYTES; at += 3) {
      byte[] image = sound.clone();
      image[at] ^= (byte) 0x81;
      run(file, image);
    }
    assertThat(descriptors()).isLessThanOrEqualTo(descriptors);
    assertThat(threads()).isEqualTo(threads);
    assertThat(mappings()).as("mappings of files").isLessThanOrEqualTo(mappings);
  }

  private static void run(Path file, byte[] image) throws IOException {
    Files.write(file, image);
    String name = file.toString();
    String copy = file + ".copy";
    for (String[] command :
        new String[][] {
          {"img", "info", "-f", "qcow2", name},
          {"img", "check", "-f", "qcow2", name},
          {"img", "inspect", name},
          {"img", "map", "-f", "qcow2", name},
          {"img", "compare", "-f", "qcow2", "-F", "qcow2", name, name},
          {"img", "convert", "-f", "qcow2", "-O", "raw", name, copy}
        }) {
      var out = new PrintStream(new ByteArrayOutputStream(), true, UTF_8);
      var io = new Terminal(InputStream.nullInputStream(), out, out);
      assertThat(Main.run(command, "", io)).as("%s", Arrays.asList(command)).isBetween(0, 3);
    }
    Files.deleteIfExists(Path.of(copy));
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  /** Mappings of files; the machine maps memory without a file as it likes. */
  private static long mappings() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(line -> line.contains("/")).count();
    }
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("hawser"))
        .count();
  }

  private static byte[] with(byte[] image, int at, int value) {
    ByteBuffer.wrap(image).putInt(at, value);
    return image;
  }
}
