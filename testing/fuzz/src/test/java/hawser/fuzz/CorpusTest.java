package hawser.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every target over its committed seeds, whole, cut, and with a few thousand seeded changes. */
class CorpusTest {
  private static final Path SEEDS = Path.of("src/test/resources/hawser/fuzz");
  private static final long DICE = 20261122;
  private static final int CHANGES = 300;

  enum Target {
    HEADER,
    MAPPING,
    IMAGE,
    SERVER,
    CLIENT,
    STATE,
    STREAM;

    void run(byte[] input) {
      switch (this) {
        case HEADER -> HeaderTarget.fuzzerTestOneInput(input);
        case MAPPING -> MappingTarget.fuzzerTestOneInput(input);
        case IMAGE -> ImageTarget.fuzzerTestOneInput(input);
        case SERVER -> ServerHandshakeTarget.fuzzerTestOneInput(input);
        case CLIENT -> ClientTarget.fuzzerTestOneInput(input);
        case STATE -> StateTarget.fuzzerTestOneInput(input);
        case STREAM -> QemuStreamTarget.fuzzerTestOneInput(input);
      }
    }

    private List<Path> seeds() throws IOException {
      try (Stream<Path> files = Files.list(SEEDS.resolve(name().toLowerCase(Locale.ROOT)))) {
        return files.sorted().toList();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everySeedEndsAsItShould(Target target) throws IOException {
    assertThat(target.seeds()).hasSizeGreaterThan(2);
    for (Path seed : target.seeds()) {
      target.run(Files.readAllBytes(seed));
    }
  }

  @ParameterizedTest
  @EnumSource
  void changedSeedsEndAsTheyShould(Target target) throws IOException {
    for (Path seed : target.seeds()) {
      byte[] sound = Files.readAllBytes(seed);
      for (int i = 0; i < CHANGES; i++) {
        long dice = DICE + i;
        byte[] changed = changed(sound, new Random(dice));
        try {
          target.run(changed);
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError(target + ", " + seed.getFileName() + ", dice " + dice, e);
        }
      }
    }
  }

  private static byte[] changed(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    int[] strange = {0, 1, 0x7f, 0x80, 0xff};
    for (int n = random.nextInt(1, 8); n > 0 && bytes.length > 0; n--) {
      int at = random.nextInt(bytes.length);
      bytes[at] =
          (byte)
              (random.nextBoolean() ? strange[random.nextInt(strange.length)] : random.nextInt());
    }
    return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
  }

  @Test
  void theCommittedImageIsWhatTheBuilderMakes() throws IOException {
    assertThat(Files.readAllBytes(SEEDS.resolve("image/full.qcow2"))).isEqualTo(SeedImage.full());
  }

  @Test
  void everySeedImageIsSound() {
    for (byte[] image : List.of(SeedImage.full(), SeedImage.plain(), SeedImage.subclusters())) {
      assertThat(ImageTarget.tryAll(MemoryDriver.file(image))).isTrue();
    }
  }
}
