package hawser.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class HandshakeRulesTest {
  private static final MetaContext BASE = new MetaContext(0, MetaContext.BASE_ALLOCATION);
  private static final MetaContext DEPTH = new MetaContext(1, MetaContext.QEMU_ALLOCATION_DEPTH);
  private static final MetaContext BITMAP = new MetaContext(2, "qemu:dirty-bitmap:b0");
  private static final ExportInfo DISK =
      new ExportInfo(
          "disk",
          "a disk",
          1 << 20,
          0x0d6d,
          BlockSizes.DEFAULT,
          List.of(BASE, DEPTH, BITMAP),
          false);
  private static final ExportInfo SECRET =
      new ExportInfo("secret", "", 512, 3, BlockSizes.DEFAULT, List.of(BASE), true);
  private static final ExportInfo COARSE =
      new ExportInfo(
          "coarse", "", 4096, 3, new BlockSizes(512, 4096, 1 << 20), List.of(BASE), false);

  private static final ExportCatalog CATALOG =
      new ExportCatalog() {
        @Override
        public List<ExportInfo> list() {
          return List.of(DISK, SECRET, COARSE);
        }

        @Override
        public Optional<ExportInfo> find(String name) {
          return list().stream().filter(export -> export.name().equals(name)).findFirst();
        }
      };

  private static final Handshake.Haggling FRESH = Handshake.Haggling.begin(true, true);

  private final HandshakeRules rules = new HandshakeRules(CATALOG, TlsMode.NONE);

  private static byte[] data(Consumer<ByteBuffer> fields) {
    ByteBuffer out = ByteBuffer.allocate(1024);
    fields.accept(out);
    byte[] bytes = new byte[out.flip().remaining()];
    out.get(bytes);
    return bytes;
  }

  private static void name(ByteBuffer out, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    out.putInt(bytes.length).put(bytes);
  }

  private static byte[] go(String name, int... infos) {
    return data(
        out -> {
          name(out, name);
          out.putShort((short) infos.length);
          for (int info : infos) {
            out.putShort((short) info);
          }
        });
  }

  private static byte[] contexts(String export, String... queries) {
    return data(
        out -> {
          name(out, export);
          out.putInt(queries.length);
          for (String query : queries) {
            name(out, query);
          }
        });
  }

  private Handshake.Step step(Handshake.Haggling now, int code, byte[] data) {
    return rules.step(now, Option.parse(code, data));
  }

  private static List<Integer> types(Handshake.Step step) {
    return step.answers().stream().map(bytes -> ByteBuffer.wrap(bytes).getInt(12)).toList();
  }

  private static String text(byte[] answer) {
    return new String(answer, 20, answer.length - 20, StandardCharsets.UTF_8);
  }

  private Handshake.Haggling haggling(Handshake.Step step) {
    return (Handshake.Haggling) step.next();
  }

  @Test
  void greetingIsFixedNewstyleWithoutZeroes() {
    assertThat(HandshakeRules.greeting())
        .asHexString()
        .isEqualTo("4E42444D41474943" + "49484156454F5054" + "0003");
  }

  @Test
  void unknownClientFlagsEndTheConnection() {
    assertThatThrownBy(() -> HandshakeRules.begin(4))
        .isInstanceOf(PeerFault.class)
        .hasMessage("client flags are 0x4, known are 0x3");
    assertThat(HandshakeRules.begin(3)).isEqualTo(FRESH);
  }

  @Test
  void goAnswersInformationAndReady() {
    var step = step(FRESH, OptionCode.GO, go("disk", 1, 2, 3, 77));
    assertThat(types(step)).containsExactly(3, 3, 3, 3, 1);
    assertThat(step.answers().get(3))
        .asHexString()
        .isEqualTo(
            "0003E889045565A9"
                + "00000007"
                + "00000003"
                + "0000000C"
                + "0000"
                + "0000000000100000"
                + "0D6D");
    assertThat(step.next())
        .isEqualTo(new Handshake.Ready(DISK, ReplyStyle.SIMPLE, List.of(), true));
  }

  @Test
  void infoAnswersTheSameAndStays() {
    var step = step(FRESH, OptionCode.INFO, go("disk"));
    assertThat(types(step)).containsExactly(3, 3, 1);
    assertThat(step.next()).isEqualTo(FRESH);
  }

  @Test
  void unknownExportIsNamed() {
    var step = step(FRESH, OptionCode.GO, go("nope"));
    assertThat(types(step)).containsExactly(OptionCode.ERR_UNKNOWN);
    assertThat(text(step.answers().getFirst())).isEqualTo("export 'nope' not present");
    assertThat(step.next()).isEqualTo(FRESH);
  }

  @Test
  void coarseExportWantsAClientThatKnowsBlockSizes() {
    assertThat(types(step(FRESH, OptionCode.GO, go("coarse"))))
        .containsExactly(OptionCode.ERR_BLOCK_SIZE_REQD);
    assertThat(step(FRESH, OptionCode.GO, go("coarse", 3)).next())
        .isInstanceOf(Handshake.Ready.class);
    assertThat(
            step(FRESH, OptionCode.EXPORT_NAME, "coarse".getBytes(StandardCharsets.UTF_8)).next())
        .isInstanceOf(Handshake.Ended.class);
  }

  @Test
  void exportNameAnswersSizeAndFlagsAndPads() {
    byte[] name = "disk".getBytes(StandardCharsets.UTF_8);
    var bare = step(FRESH, OptionCode.EXPORT_NAME, name);
    assertThat(bare.answers().getFirst()).asHexString().isEqualTo("0000000000100000" + "0D6D");
    var padded = step(Handshake.Haggling.begin(false, false), OptionCode.EXPORT_NAME, name);
    assertThat(padded.answers().getFirst()).hasSize(134);
    assertThat(padded.next()).isInstanceOf(Handshake.Ready.class);
  }

  @Test
  void clientWithoutFixedNewstyleMayOnlyChoose() {
    var old = Handshake.Haggling.begin(false, false);
    assertThat(step(old, OptionCode.LIST, new byte[0]).next()).isInstanceOf(Handshake.Ended.class);
  }

  @Test
  void listNamesWhatNeedsNoTls() {
    var step = step(FRESH, OptionCode.LIST, new byte[0]);
    assertThat(types(step)).containsExactly(2, 2, 1);
    assertThat(text(step.answers().getFirst())).isEqualTo("\0\0\0\4diska disk");
    assertThat(types(step(FRESH, OptionCode.LIST, new byte[1])))
        .containsExactly(OptionCode.ERR_INVALID);
  }

  @Test
  void abortIsAcknowledged() {
    var step = step(FRESH, OptionCode.ABORT, new byte[3]);
    assertThat(types(step)).containsExactly(OptionCode.REP_ACK);
    assertThat(step.next()).isInstanceOf(Handshake.Ended.class);
  }

  @Test
  void unknownOptionsAreAnsweredAndForgotten() {
    for (int code : new int[] {0, 4, 12, -1, Integer.MIN_VALUE}) {
      var step = step(FRESH, code, new byte[5]);
      assertThat(types(step)).containsExactly(OptionCode.ERR_UNSUP);
      assertThat(ByteBuffer.wrap(step.answers().getFirst()).getInt(8)).isEqualTo(code);
      assertThat(step.next()).isEqualTo(FRESH);
    }
  }

  @Test
  void structuredThenExtendedButNotBack() {
    var structured = step(FRESH, OptionCode.STRUCTURED_REPLY, new byte[0]);
    assertThat(haggling(structured).style()).isEqualTo(ReplyStyle.STRUCTURED);
    assertThat(types(step(haggling(structured), OptionCode.STRUCTURED_REPLY, new byte[0])))
        .containsExactly(OptionCode.ERR_INVALID);
    var extended = step(haggling(structured), OptionCode.EXTENDED_HEADERS, new byte[0]);
    assertThat(haggling(extended).style()).isEqualTo(ReplyStyle.EXTENDED);
    assertThat(types(step(haggling(extended), OptionCode.STRUCTURED_REPLY, new byte[0])))
        .containsExactly(OptionCode.ERR_EXT_HEADER_REQD);
    assertThat(
            step(
                    haggling(extended),
                    OptionCode.EXPORT_NAME,
                    "disk".getBytes(StandardCharsets.UTF_8))
                .next())
        .isInstanceOf(Handshake.Ended.class);
  }

  @Test
  void contextsNeedStructuredReplies() {
    assertThat(types(step(FRESH, OptionCode.SET_META_CONTEXT, contexts("disk", "base:allocation"))))
        .containsExactly(OptionCode.ERR_INVALID);
  }

  @Test
  void wildcardsListButDoNotChoose() {
    var now = FRESH.with(ReplyStyle.STRUCTURED);
    assertThat(types(step(now, OptionCode.LIST_META_CONTEXT, contexts("disk"))))
        .containsExactly(4, 4, 4, 1);
    assertThat(types(step(now, OptionCode.LIST_META_CONTEXT, contexts("disk", "qemu:"))))
        .containsExactly(4, 4, 1);
    assertThat(
            types(step(now, OptionCode.LIST_META_CONTEXT, contexts("disk", "qemu:dirty-bitmap:"))))
        .containsExactly(4, 1);
    assertThat(types(step(now, OptionCode.LIST_META_CONTEXT, contexts("disk", "base:", "x:y"))))
        .containsExactly(4, 1);
    assertThat(types(step(now, OptionCode.SET_META_CONTEXT, contexts("disk", "base:", "qemu:"))))
        .containsExactly(1);
  }

  @Test
  void chosenContextsBelongToOneExport() {
    var now = FRESH.with(ReplyStyle.STRUCTURED);
    var chosen =
        step(
            now,
            OptionCode.SET_META_CONTEXT,
            contexts("disk", "qemu:dirty-bitmap:b0", "base:allocation"));
    assertThat(types(chosen)).containsExactly(4, 4, 1);
    var ready = (Handshake.Ready) step(haggling(chosen), OptionCode.GO, go("disk", 3)).next();
    assertThat(ready.contexts()).containsExactly(BASE, BITMAP);
    var other = (Handshake.Ready) step(haggling(chosen), OptionCode.GO, go("coarse", 3)).next();
    assertThat(other.contexts()).isEmpty();
  }

  @Test
  void failedChoiceEmptiesTheSet() {
    var now = FRESH.with("disk", List.of(BASE)).with(ReplyStyle.STRUCTURED);
    assertThat(haggling(step(now, OptionCode.SET_META_CONTEXT, contexts("nope"))).contexts())
        .isEmpty();
    assertThat(haggling(step(now, OptionCode.SET_META_CONTEXT, new byte[] {1})).contexts())
        .isEmpty();
    assertThat(haggling(step(now, OptionCode.LIST_META_CONTEXT, contexts("nope"))).contexts())
        .containsExactly(BASE);
  }

  @Test
  void payloadFlagComesWithExtendedHeadersAndContexts() {
    var now = FRESH.with("disk", List.of(BASE)).with(ReplyStyle.EXTENDED);
    var step = step(now, OptionCode.GO, go("disk"));
    int flags = ByteBuffer.wrap(step.answers().get(1)).getShort(30);
    assertThat(flags & TransmissionFlags.BLOCK_STATUS_PAYLOAD).isNotZero();
    assertThat(flags & TransmissionFlags.SEND_DF).isNotZero();
  }

  @Test
  void withoutTlsStartTlsIsRefused() {
    assertThat(types(step(FRESH, OptionCode.STARTTLS, new byte[0])))
        .containsExactly(OptionCode.ERR_POLICY);
  }

  @Test
  void forcedTlsLetsNothingElseThrough() {
    var forced = new HandshakeRules(CATALOG, TlsMode.FORCED);
    var refused = forced.step(FRESH, new Option.ListExports());
    assertThat(types(refused)).containsExactly(OptionCode.ERR_TLS_REQD);
    assertThat(text(refused.answers().getFirst())).isEqualTo("Option 0x3 not permitted before TLS");
    assertThat(forced.step(FRESH, new Option.ExportName("disk")).next())
        .isInstanceOf(Handshake.Ended.class);
    assertThat(forced.step(FRESH, new Option.StartTls()).next())
        .isInstanceOf(Handshake.Encrypting.class);
  }

  @Test
  void tlsForgetsWhatWasAgreedInTheClear() {
    var selective = new HandshakeRules(CATALOG, TlsMode.SELECTIVE);
    var now = FRESH.with("disk", List.of(BASE)).with(ReplyStyle.EXTENDED);
    var next = (Handshake.Encrypting) selective.step(now, new Option.StartTls()).next();
    assertThat(next.after().style()).isEqualTo(ReplyStyle.SIMPLE);
    assertThat(next.after().contexts()).isEmpty();
    assertThat(next.after().tls()).isTrue();
    assertThat(types(selective.step(next.after(), new Option.StartTls())))
        .containsExactly(OptionCode.ERR_INVALID);
  }

  @Test
  void selectiveTlsGuardsSomeExports() {
    var selective = new HandshakeRules(CATALOG, TlsMode.SELECTIVE);
    var go = Option.parse(OptionCode.GO, go("secret", 3));
    assertThat(types(selective.step(FRESH, go))).containsExactly(OptionCode.ERR_TLS_REQD);
    assertThat(selective.step(FRESH.encrypted(), go).next()).isInstanceOf(Handshake.Ready.class);
  }

  @Test
  void everyTruncationIsMalformedOrUnderstood() {
    for (int code = 0; code < 13; code++) {
      for (byte[] whole : List.of(go("disk", 0, 3), contexts("disk", "base:allocation", "x"))) {
        for (int length = 0; length < whole.length; length++) {
          Option option = Option.parse(code, java.util.Arrays.copyOf(whole, length));
          assertThat(option.code()).isEqualTo(code);
          assertThat(rules.step(FRESH, option).next()).isNotNull();
        }
      }
    }
  }

  @Test
  void hugeCountsAreMalformed() {
    byte[] many =
        data(
            out -> {
              name(out, "disk");
              out.putInt(-1);
            });
    assertThat(Option.parse(OptionCode.SET_META_CONTEXT, many))
        .isInstanceOf(Option.Malformed.class);
    byte[] longName = data(out -> out.putInt(Integer.MAX_VALUE));
    assertThat(Option.parse(OptionCode.GO, longName)).isInstanceOf(Option.Malformed.class);
  }
}
