package hawser.fs.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.fs.Name;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** States are written and read as they always were: a file from version 1 is kept here. */
class StateFormTest {
  /** Every kind of piece. */
  private static void pieces(StateSink sink) throws IOException {
    var identity = new Identity(0x8_0000_0001L, 23, 131, 1_700_000_000L, 999_999_999);
    Name none = new Name(new byte[0]);
    sink.settings(new SavedSettings(true, 0x12_3456_789aL, 900, 77));
    sink.inode(new SavedInode(1, 1, 0x4000, identity, 131, true, none, new Location.Root()));
    Name odd = new Name(new byte[] {'o', (byte) 0xfe, 'd'});
    var handle = new Name(new byte[] {1, 0, 0, 0, 9, 9});
    for (Location location :
        List.of(
            new Location.Named(1, odd),
            new Location.AtPath(Name.of("a/path")),
            new Location.ByHandle(Name.of("."), handle),
            new Location.Hidden(Name.of(".hidden")),
            new Location.Embedded(0100644, 5, 6, 7, 8, -9, 10, 11, 12, Name.of("target")),
            new Location.Lost())) {
      long nodeId = 100L + location.getClass().getSimpleName().length();
      sink.inode(new SavedInode(nodeId, 3, 0x8000, identity, 1L << 40, false, handle, location));
    }
    sink.content(108, 1 << 20, MemorySegment.ofArray(new byte[] {1, 2, 3}));
    sink.attribute(108, new SavedAttribute(Name.of("user.a"), odd));
    sink.file(new SavedFile(70, 105, 0x8002));
    sink.lock(new SavedLock.Range(105, -1, true, 3, Long.MAX_VALUE));
    sink.lock(new SavedLock.Whole(70, false));
    sink.end();
  }

  private static void optionsToo(StateSink sink) throws IOException {
    var root = new Identity(1, 2, 3, 4, 5);
    Name none = new Name(new byte[0]);
    sink.settings(new SavedSettings(true, 0x12_3456_789aL, 900, 77));
    sink.option(new SavedOption("cache", "auto"));
    sink.option(new SavedOption("xattrmap", ":map::user.virtiofs.:"));
    sink.inode(new SavedInode(1, 1, 0x4000, root, 131, true, none, new Location.Root()));
    sink.end();
  }

  /** Options came later, in a section that older readers pass over. */
  @Test
  void optionsAreReadForEver() throws IOException {
    var said = new Heard();
    optionsToo(said);
    var out = new ByteArrayOutputStream();
    optionsToo(new StateWriter(out));
    try (InputStream in =
        Objects.requireNonNull(getClass().getResourceAsStream("version-1-options.hwst"))) {
      byte[] golden = in.readAllBytes();
      assertThat(Heard.in(golden)).isEqualTo(said.lines);
      assertThat(out.toByteArray()).isEqualTo(golden);
    }
    ByteBuffer section = ByteBuffer.wrap(out.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    int settings = 10 + section.get(8);
    int options = settings + 8 + section.getInt(settings + 4) + 4;
    assertThat(section.getShort(options)).isEqualTo((short) 7);
    assertThat(section.getShort(options + 2)).as("is not required").isZero();
  }

  private static byte[] written() throws IOException {
    var out = new ByteArrayOutputStream();
    pieces(new StateWriter(out));
    return out.toByteArray();
  }

  @Test
  void everyPieceComesBack() throws IOException {
    var said = new Heard();
    pieces(said);
    assertThat(Heard.in(written())).isEqualTo(said.lines);
  }

  @Test
  void version1IsReadForEver() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(getClass().getResourceAsStream("version-1.hwst"))) {
      byte[] golden = in.readAllBytes();
      var said = new Heard();
      pieces(said);
      assertThat(Heard.in(golden)).isEqualTo(said.lines);
      assertThat(written()).isEqualTo(golden);
    }
  }

  @Test
  void anUnknownSectionIsSkippedUnlessItIsRequired() throws IOException {
    assertThatThrownBy(() -> Heard.in(withSection(0x4242, 1)))
        .hasMessage("section type 16962 is required and not known here");
    // Skipped, and only the digest tells that somebody has put it in.
    assertThatThrownBy(() -> Heard.in(withSection(0x4242, 0)))
        .hasMessage("the state is damaged: its digest differs");
  }

  /** A state with one more section after its header. */
  private static byte[] withSection(int type, int flags) throws IOException {
    byte[] state = written();
    int header = 10 + Byte.toUnsignedInt(state[8]);
    ByteBuffer section = ByteBuffer.allocate(8 + 3 + 4).order(ByteOrder.LITTLE_ENDIAN);
    section.putShort((short) type).putShort((short) flags).putInt(3).put(new byte[3]);
    var crc = new CRC32C();
    crc.update(section.array(), 0, 11);
    section.putInt((int) crc.getValue());
    var out = new ByteArrayOutputStream();
    out.write(state, 0, header);
    out.writeBytes(section.array());
    out.write(state, header, state.length - header);
    return out.toByteArray();
  }

  @Test
  void aLengthBeyondTheLimitIsRefusedBeforeItIsBelieved() {
    byte[] state = {'H', 'W', 'S', 'T', 1, 0, 0, 0, 0, 0, 2, 0, 1, 0, 1, 0, 16, 0};
    assertThatThrownBy(() -> Heard.in(state))
        .hasMessage("section 2 has 1048577 bytes, at most 1048576");
  }
}
