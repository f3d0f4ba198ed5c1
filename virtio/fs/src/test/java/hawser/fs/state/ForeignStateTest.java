package hawser.fs.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.fs.Name;
import hawser.fs.fuse.InitFlag;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  private static byte[] kept(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ForeignStateTest.class.getResourceAsStream(name))) {
      return in.readAllBytes();
    }
  }

  /** Recorded from virtiofsd 1.13.2 (interop's VirtiofsdStateTest), with files of every kind. */
  @ParameterizedTest
  @CsvSource({
    "virtiofsd-1.13.2-paths.state, DONT_MASK POSIX_ACL SUBMOUNTS SETXATTR_EXT",
    "virtiofsd-1.13.2-writeback.state, WRITEBACK_CACHE SUBMOUNTS CREATE_SUPP_GROUP",
  })
  void whatVirtiofsdWroteIsReadForEver(String name, String agreed) throws IOException {
    var mask =
        InitFlag.mask(
            Arrays.stream(agreed.split(" ")).map(InitFlag::valueOf).toArray(InitFlag[]::new));
    var settings = new SavedSettings(true, mask, 9, 5);
    byte[] version2 = kept(name);
    List<String> heard = Heard.in(version2);
    assertThat(heard).isEqualTo(told(settings, ForeignStateTest::byName));
    // Version 1, which older ones wrote, has no mounts at its end; here there are none.
    byte[] version1 = Arrays.copyOf(version2, version2.length - 1);
    version1[0] = 0;
    assertThat(Heard.in(version1)).isEqualTo(heard);
  }

  @Test
  void fileHandlesOfVirtiofsdsAreReadForEver() throws IOException {
    long agreed =
        InitFlag.mask(
            InitFlag.DONT_MASK, InitFlag.POSIX_ACL, InitFlag.SUBMOUNTS, InitFlag.SETXATTR_EXT);
    String[] handles = {
      "f3a821001fc7bb24",
      "1aa9210011 14df89",
      "214922009e345282",
      "1ba921009c541acc",
      "11ea20006281e346",
      "2eea2000074d691e",
      "2fea200038edd4cf"
    };
    assertThat(Heard.in(kept("virtiofsd-1.13.2-handles.state")))
        .isEqualTo(
            told(
                new SavedSettings(true, agreed, 9, 5),
                node -> byHandle(handles[(int) node - 2].replace(" ", ""))));
  }

  private static Location byHandle(String bytes) {
    var handle = ByteBuffer.allocate(12).put((byte) 1).position(4);
    return new Location.ByHandle(
        Name.of("."), new Name(handle.put(HexFormat.of().parseHex(bytes)).array()));
  }

  private static Location byName(long node) {
    return switch ((int) node) {
      case 2 -> new Location.Named(1, Name.of("directory"));
      case 3 -> new Location.Named(2, Name.of("file"));
      case 4 -> new Location.Named(2, Name.of("below"));
      case 5 -> new Location.Named(1, Name.of("renamed"));
      case 6 -> new Location.Named(1, Name.of("link"));
      case 7 -> new Location.Named(1, Name.of("fifo"));
      default -> new Location.Lost();
    };
  }

  /** What those guests held; only where it lies differs. */
  private static List<String> told(SavedSettings settings, LongFunction<Location> where) {
    var told = new Heard();
    told.settings(settings);
    long[] lookups = {2, 2, 2, 1, 1, 1, 1, 1};
    Set<Long> needed = Set.of(2L, 3L, 5L, 8L);
    for (int i = 0; i < lookups.length; i++) {
      long node = i + 1L;
      Location location = node == 1 ? new Location.Root() : where.apply(node);
      told.inode(
          new SavedInode(
              node,
              lookups[i],
              0,
              Identity.UNKNOWN,
              0,
              needed.contains(node),
              Name.of(""),
              location));
    }
    told.file(new SavedFile(0, 2, 0304000));
    told.file(new SavedFile(1, 3, 02002));
    told.file(new SavedFile(2, 3, 0));
    told.file(new SavedFile(3, 5, 2));
    told.file(new SavedFile(4, 8, 2));
    told.end();
    return told.lines;
  }

  /** A file handle counts on its own mount, of which some directory is told. */
  @Test
  void handlesAreWrittenWithTheMountThatTheyBelongTo() throws IOException {
    var out = new ByteArrayOutputStream();
    StateSink sink = StateForms.VIRTIOFSD.writing(out);
    var handle = new Name(new byte[] {1, 0, 0, 0, 9, 9});
    Name none = Name.of("");
    sink.settings(new SavedSettings(true, 0, 9, 5));
    sink.inode(inode(1, 0x4000, 20, none, new Location.Root()));
    sink.inode(inode(2, 0x8000, 21, handle, new Location.Lost()));
    sink.inode(inode(3, 0x8000, 22, handle, new Location.Lost()));
    sink.inode(inode(4, 0x4000, 21, none, new Location.Named(1, Name.of("mounted"))));
    sink.end();
    assertThat(Heard.in(out.toByteArray()))
        .contains(
            inode(2, 0, 0, none, new Location.ByHandle(Name.of("mounted"), handle)).toString(),
            inode(3, 0, 0, none, new Location.Lost()).toString());
  }

  private static SavedInode inode(long node, int type, long mount, Name handle, Location location) {
    var identity = new Identity(0, mount, 0, 0, 0);
    return new SavedInode(node, 1, type, identity, 0, false, handle, location);
  }
}
