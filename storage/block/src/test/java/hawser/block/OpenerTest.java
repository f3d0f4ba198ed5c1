package hawser.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenerTest {
  private final Opener opener = new Opener(OpenPolicy.ANYTHING);
  @TempDir Path folder;
  private Path disk;

  @BeforeEach
  void makeDisk() throws Exception {
    disk = folder.resolve("disk.img");
    Files.write(disk, new byte[65536]);
  }

  /** QEMU 10.0.2's words, seen by running qemu-io with the same options. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "driver=raw|A block device must be specified for \"file\"",
        "driver=raw,file=x|Cannot find device='x' nor node-name='x'",
        "driver=raww|Unknown driver 'raww'",
        "driver=file|The 'file' block driver requires a file name",
        "filename=x|Must specify either driver or file",
        "driver=raw,foo=1,file.filename=DISK|Block format 'raw' does not support the option 'foo'",
        "driver=raw,file.driver=file,file.filename=DISK,file.foo=1"
            + "|Block protocol 'file' doesn't support the option 'foo'",
        "driver=raw,file.filename=DISK,file.read-only=on|Block node is read-only",
        "driver=raw,file.filename=DISK,force-share=on"
            + "|force-share=on can only be used with read-only images",
        "driver=raw,read-only=maybe,file.filename=DISK"
            + "|Parameter 'read-only' expects 'on' or 'off'",
        "driver=raw,offset=5M,file.filename=DISK|Offset (5242880) cannot be greater than size of"
            + " the containing file (65536)",
        "driver=raw,size=100,file.filename=DISK|Specified size is not multiple of 512",
        "driver=raw,file.filename=foo:bar|Unknown protocol 'foo'",
        "driver=raw,file.filename=DISK,file.locking=maybe|invalid parameter value: maybe",
        "driver=file,filename=/dev/null|'file' driver requires '/dev/null' to be a regular file",
      })
  void refusesInQemusWords(String options, String message) {
    assertThatThrownBy(
            () ->
                opener.open(
                    Options.parse(options.replace("DISK", disk.toString())), OpenMode.WRITE))
        .isInstanceOf(BlockFault.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "json:[1]|Invalid JSON object given",
        "foo:x|Unknown protocol 'foo'",
        "/nonexistent/x|Could not open '/nonexistent/x': No such file or directory",
        "null-co://x|The only allowed filename for this driver is 'null-co://'",
        "blkdebug:x|blkdebug requires both config file and image path",
      })
  void refusesNamesInQemusWords(String name, String message) {
    assertThatThrownBy(() -> opener.open(name, null, OpenMode.READ))
        .isInstanceOf(BlockFault.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource({"DISK,DISK", "file:DISK,DISK", "blkdebug::DISK,blkdebug::DISK"})
  void opensNames(String name, String shown) throws Exception {
    try (BlockNode node =
        opener.open(name.replace("DISK", disk.toString()), "raw", OpenMode.READ)) {
      assertThat(node.name()).isEqualTo(shown.replace("DISK", disk.toString()));
      assertThat(node.length()).isEqualTo(65536);
    }
  }

  @Test
  void guessedRawIsGuarded() throws Exception {
    List<String> warnings = new ArrayList<>();
    try (var arena = Arena.ofConfined();
        BlockNode node =
            opener.warning(warnings::add).open(disk.toString(), null, OpenMode.WRITE)) {
      assertThat(warnings).hasSize(1);
      assertThat(warnings.getFirst())
          .startsWith(
              "WARNING: Image format was not specified for '"
                  + disk
                  + "' and probing guessed raw.\n         Automatically detecting");
      MemorySegment harmless = arena.allocate(512).fill((byte) 1);
      node.write(harmless, 0, 0);
      MemorySegment header = qcow2Header(arena);
      assertThatThrownBy(() -> node.write(header, 0, 0))
          .isInstanceOfSatisfying(
              BlockFault.class, fault -> assertThat(fault.errno()).isEqualTo(Errno.EPERM));
      node.write(header, 512, 0);
    }
    try (var arena = Arena.ofConfined();
        BlockNode node = opener.open(disk.toString(), "raw", OpenMode.WRITE)) {
      node.write(qcow2Header(arena), 0, 0);
    }
  }

  /** What a qcow2 image begins with: its magic and version 3. */
  private static MemorySegment qcow2Header(Arena arena) {
    MemorySegment header = arena.allocate(512);
    header.copyFrom(
        MemorySegment.ofArray("QFI\u00fb\0\0\0\3".getBytes(StandardCharsets.ISO_8859_1)));
    return header;
  }

  @Test
  void namesInsideImagesStartAtTheImagesFolder() throws Exception {
    assertThat(ImageName.resolve("/a/b/top.img", "base.img")).isEqualTo("/a/b/base.img");
    assertThat(ImageName.resolve("top.img", "base.img")).isEqualTo("base.img");
    assertThat(ImageName.resolve("nbd://h/x/y", "base")).isEqualTo("nbd://h/x/base");
    assertThat(ImageName.resolve("/a/top.img", "nbd://h/x")).isEqualTo("nbd://h/x");
    try (BlockNode node =
        opener.open(Options.parse("driver=raw,offset=512,file.filename=" + disk), OpenMode.READ)) {
      assertThat(ImageName.resolve(node, "base.img"))
          .isEqualTo(folder.resolve("base.img").toString());
    }
    try (BlockNode node =
        opener.open("json:{\"driver\":\"null-co\",\"size\":512}", null, OpenMode.READ)) {
      assertThatThrownBy(() -> ImageName.resolve(node, "base.img"))
          .hasMessageStartingWith("Cannot use relative backing file names for 'json:");
    }
  }
}
