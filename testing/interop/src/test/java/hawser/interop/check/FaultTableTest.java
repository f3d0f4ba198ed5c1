package hawser.interop.check;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.block.BlockNode;
import hawser.block.CheckReport;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.format.qcow2.check.CheckLimits;
import hawser.block.format.qcow2.check.Qcow2Check;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every broken image is judged by qemu-img and by the library: same numbers, same lines. */
class FaultTableTest {
  @TempDir Path temp;

  @BeforeEach
  void peers() {
    Peers.requires("qemu-img", "qemu-io");
  }

  static List<Fault> faults() {
    return Fault.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void theLibrarySaysWhatQemuImgSays(Fault fault) throws Exception {
    Path image = temp.resolve("broken.qcow2");
    in(fault, temp).make(image);
    Ran theirs = Peers.run("qemu-img", "check", "-f", "qcow2", "--output=json", image.toString());
    var lines = new StringBuilder();
    String ours;
    int code;
    try (BlockNode file =
        new Opener(OpenPolicy.NOTHING).open(image.toString(), "raw", OpenMode.READ)) {
      CheckReport result =
          Qcow2Check.run(file, text -> lines.append(text).append('\n'), CheckLimits.standard());
      ours = counters(result).toString();
      code =
          result.checkErrors() > 0 ? 1 : result.corruptions() > 0 ? 2 : result.leaks() > 0 ? 3 : 0;
      if (code == 1) {
        lines.append("qemu-img: Check failed\n");
      }
    } catch (BlockFault failed) {
      ours = "{}";
      code = 1;
      String opening =
          failed.getMessage().startsWith("Check failed") ? "" : "Could not open '" + image + "': ";
      lines.append("qemu-img: ").append(opening).append(failed.getMessage()).append('\n');
    }
    assertThat(lines.toString()).isEqualTo(theirs.err());
    assertThat(ours).isEqualTo(counters(theirs.out()).toString());
    assertThat(code).isEqualTo(theirs.exitCode());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void theCommandSaysWhatQemuImgSays(Fault fault) throws Exception {
    Path image = temp.resolve("broken.qcow2");
    in(fault, temp).make(image);
    for (String output : List.of("human", "json")) {
      String[] check = {"check", "-f", "qcow2", "--output=" + output, image.toString()};
      var command = new ArrayList<>(List.of("qemu-img"));
      command.addAll(List.of(check));
      Ran theirs = Peers.run(command);
      var out = new ByteArrayOutputStream();
      var err = new ByteArrayOutputStream();
      var io =
          new Terminal(
              InputStream.nullInputStream(),
              new PrintStream(out, true, UTF_8),
              new PrintStream(err, true, UTF_8));
      int code = Main.run(check, "qemu-img", io);
      assertThat(err.toString(UTF_8)).isEqualTo(theirs.err());
      assertThat(out.toString(UTF_8)).isEqualTo(theirs.out());
      assertThat(code).isEqualTo(theirs.exitCode());
    }
  }

  private static Fault in(Fault fault, Path folder) {
    String options = fault.options().replace("DATA", folder.resolve("data.raw").toString());
    return new Fault(fault.name(), options, fault.commands(), fault.damage());
  }

  private static Map<String, String> counters(CheckReport result) {
    var all = new LinkedHashMap<String, String>();
    put(all, "image-end-offset", result.imageEndOffset());
    put(all, "total-clusters", result.totalClusters());
    put(all, "check-errors", result.checkErrors());
    put(all, "corruptions", result.corruptions());
    put(all, "leaks", result.leaks());
    put(all, "allocated-clusters", result.allocatedClusters());
    put(all, "fragmented-clusters", result.fragmentedClusters());
    put(all, "compressed-clusters", result.compressedClusters());
    return all;
  }

  private static void put(Map<String, String> all, String name, long value) {
    if (value != 0) {
      all.put(name, Long.toString(value));
    }
  }

  private static Map<String, String> counters(String json) {
    var all = new LinkedHashMap<String, String>();
    if (json.isBlank()) {
      return all;
    }
    var members = ((Json.Obj) JsonReader.read(json)).members();
    for (String name :
        List.of(
            "image-end-offset",
            "total-clusters",
            "check-errors",
            "corruptions",
            "leaks",
            "allocated-clusters",
            "fragmented-clusters",
            "compressed-clusters")) {
      if (members.get(name) instanceof Json.Num(var value) && value.signum() != 0) {
        all.put(name, value.toPlainString());
      }
    }
    return all;
  }
}
