package hawser.interop.io;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same blkdebug rules under qemu-io and under ours, each on a copy of the same qcow2 image: the
 * same requests fail with the same words, and neither image is worse off than the other.
 */
class SameErrorsTest {
  @TempDir Path temp;

  /** An event, how the image is made, and what is done to it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "l1_update: write 0 128k",
        "l2_load: write 0 128k; write 0 128k; read 0 128k",
        "l2_update: write 0 128k",
        "l2_alloc_write: write 0 128k",
        "write_aio: write 0 128k; write 0 128k",
        "refblock_load: write 0 128k",
        "refblock_update_part: write 0 128k",
        "cluster_alloc: write 0 128k",
        "cow_read: write 512 1k; write 300k 1k",
        "cow_write: write 512 1k; write 300k 1k",
        "flush_to_os: write 0 128k; flush",
        "pwritev: write 0 128k; flush",
        "pwritev_zero: write -z 0 128k; flush",
        "read_aio: write 0 64k; read 0 64k; read 0 64k",
        "write_compressed: write -c 0 64k; write -c 64k 64k",
        "none: write 0 64k",
      })
  void sameWordsAndSameDamage(String script) throws Exception {
    Peers.requires("qemu-io", "qemu-img");
    String event = script.substring(0, script.indexOf(':'));
    String commands = script.substring(event.length() + 2);
    Path fresh = temp.resolve("fresh.qcow2");
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", fresh.toString(), "1G").ok();
    if (event.equals("l2_update") || event.startsWith("cow") || event.equals("refblock_load")) {
      // A plain change of a table, without the making of the first one.
      Peers.run("qemu-io", "-f", "qcow2", "-c", "write 1M 512", fresh.toString()).ok();
    }
    for (String rest : rules()) {
      String rule = "[inject-error]\nevent = \"%s\"\n%s".formatted(event, rest);
      Files.writeString(temp.resolve("rules.conf"), rule);
      Ran theirs = run(Side.QEMU, fresh, commands);
      Ran ours = run(Side.HAWSER, fresh, commands);
      assertThat(masked(ours.all())).as(rule).isEqualTo(masked(theirs.all()));
      assertThat(ours.exitCode()).as(rule).isEqualTo(theirs.exitCode());
      assertThat(verdict(Side.HAWSER)).as(rule).isIn(noWorseThan(verdict(Side.QEMU)));
    }
  }

  private static List<String> rules() {
    var rules = new ArrayList<String>();
    for (int errno : new int[] {5, 28}) {
      for (String once : new String[] {"on", "off"}) {
        for (String immediately : new String[] {"on", "off"}) {
          rules.add(
              "errno = \"%d\"\nonce = \"%s\"\nimmediately = \"%s\"\n"
                  .formatted(errno, once, immediately));
        }
      }
    }
    return rules;
  }

  private Path disk(Side side) {
    return temp.resolve(side + ".qcow2");
  }

  private Ran run(Side side, Path fresh, String commands) throws Exception {
    Files.copy(fresh, disk(side), StandardCopyOption.REPLACE_EXISTING);
    var arguments = new ArrayList<String>();
    for (String command : commands.split("; ", -1)) {
      arguments.addAll(List.of("-c", command));
    }
    arguments.add("blkdebug:" + temp.resolve("rules.conf") + ":" + disk(side));
    return InProcess.ioOf(side, arguments);
  }

  /** Ours may have kept whole what QEMU leaks: a failed write gives its clusters back. */
  private static Object[] noWorseThan(int verdict) {
    assertThat(verdict).as("QEMU's image is not corrupt").isIn(0, 3);
    return verdict == 3 ? new Object[] {0, 3} : new Object[] {0};
  }

  /** 0: sound; 2: corrupt; 3: leaks. */
  private int verdict(Side side) {
    return Peers.run("qemu-img", "check", "-q", disk(side).toString()).exitCode();
  }

  /** Without what closing says: QEMU names each cache that it could not write, ours the cause. */
  private static String masked(String text) {
    return text.replaceAll("qemu-io: (Failed to flush the|blkdebug failed a) .*\\n", "")
        .replaceAll("ops; .*", "ops; TIME")
        .replaceAll("(QEMU|HAWSER)\\.qcow2", "DISK");
  }
}
