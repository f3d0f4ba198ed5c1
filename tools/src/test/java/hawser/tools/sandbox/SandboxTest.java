package hawser.tools.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.UsageFault;
import hawser.sys.Landlock;
import hawser.sys.ThreadCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A process in each sandbox tries to get out of it ({@link Prisoner}). */
class SandboxTest {
  /** What a shell says of a process that SIGSYS has ended. */
  private static final int SIGSYS = 128 + 31;

  @TempDir Path folder;
  private Path share;

  @BeforeEach
  void makeFiles() throws IOException {
    share = Files.createDirectory(folder.resolve("share"));
    Files.writeString(share.resolve("inside"), "inside");
    Files.writeString(folder.resolve("outside"), "outside");
    Files.createSymbolicLink(share.resolve("link"), folder.resolve("outside"));
    Files.createSymbolicLink(share.resolve("up"), Path.of("../outside"));
  }

  private record Outcome(int exitCode, String out) {}

  private Outcome imprison(SandboxMode mode, String seccomp, String... attempts)
      throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Prisoner.class.getName(), mode.name(), seccomp, share.toString()));
    command.addAll(List.of(attempts));
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), out);
  }

  private static void needs(SandboxMode mode) {
    Assumptions.assumeTrue(ThreadCalls.userId() == 0, "needs root");
    Assumptions.assumeTrue(
        mode != SandboxMode.LANDLOCK || Landlock.version() > 0, "needs Landlock");
  }

  @ParameterizedTest
  @EnumSource(
      value = SandboxMode.class,
      names = {"NAMESPACE", "CHROOT"})
  void theShareIsAllThereIs(SandboxMode mode) throws Exception {
    needs(mode);
    Outcome seen =
        imprison(
            mode,
            "KILL",
            "read /inside",
            "write /made",
            "reopen /inside",
            "read /etc/passwd",
            "read /proc/self/status",
            "read " + folder.resolve("outside"),
            "read /link",
            "read /up",
            "read ../outside",
            "read ../../../../../../etc/passwd",
            "read ../../1/status",
            "write ../../sys/kernel/core_pattern");
    assertThat(seen.exitCode).as(seen.out).isZero();
    assertThat(seen.out)
        .contains("before: done", "sandbox: sees nothing but the share", "filtered (kill)")
        .contains("read /inside: done", "write /made: done", "reopen /inside: done");
    assertThat(seen.out.lines().filter(line -> line.matches("(read|write) .*: done")))
        .containsExactly("read /inside: done", "write /made: done");
    assertThat(share.resolve("made")).exists();
  }

  @Test
  void landlockLetsOpenTheShareOnly() throws Exception {
    needs(SandboxMode.LANDLOCK);
    Outcome seen =
        imprison(
            SandboxMode.LANDLOCK,
            "none",
            "read " + share.resolve("inside"),
            "read " + share.resolve("link"),
            "read /etc/passwd",
            "reopen /etc/passwd",
            "write " + folder.resolve("made"),
            "read /proc/self/status");
    assertThat(seen.exitCode).as(seen.out).isZero();
    assertThat(seen.out.lines().filter(line -> line.endsWith(": done")))
        .containsExactly("before: done", "read " + share.resolve("inside") + ": done");
    assertThat(seen.out).contains("reopen /etc/passwd: -13");
  }

  @ParameterizedTest
  @CsvSource({
    "internet, NONE",
    "chroot, NONE",
    "mounts, NONE",
    "execute, NONE",
    "internet, NAMESPACE",
    "chroot, CHROOT"
  })
  void whoeverCallsWhatNoDaemonCallsIsEnded(String attempt, SandboxMode mode) throws Exception {
    needs(mode);
    Outcome seen = imprison(mode, "KILL", attempt);
    assertThat(seen.exitCode).as(seen.out).isEqualTo(SIGSYS);
    assertThat(seen.out).contains("filtered (kill)").doesNotContain("chroot: ", "internet: ");
  }

  @Test
  void withoutAFilterTheLackOfCapabilitiesIsInTheWay() throws Exception {
    needs(SandboxMode.NONE);
    Outcome seen = imprison(SandboxMode.NONE, "none", "chroot", "mounts");
    assertThat(seen.exitCode).as(seen.out).isZero();
    assertThat(seen.out).contains("not filtered", "chroot: -1", "mounts: -1");
  }

  @Test
  void aFilterThatOnlyLogsLetsThrough() throws Exception {
    needs(SandboxMode.NONE);
    Outcome seen = imprison(SandboxMode.NONE, "LOG", "internet");
    assertThat(seen.exitCode).as(seen.out).isZero();
    assertThat(seen.out).contains("filtered (log)", "internet: done");
  }

  @Test
  void capabilitiesAreAddedAndTakenAway() {
    assertThat(Capability.modified(Capability.FOR_FILES, "+sys_admin:-chown"))
        .isEqualTo(0x882000daL);
    assertThat(Capability.FOR_FILES).isEqualTo(0x880000dbL);
    assertThatThrownBy(() -> Capability.modified(Capability.FOR_FILES, "+sys_admin:"))
        .isInstanceOf(UsageFault.class)
        .hasMessageContaining("expecting '+'|'-'");
  }

  @Test
  void aMappingIsThreeNumbersBetweenAnyDelimiters() {
    assertThat(IdMapping.parse(":0:100000:65536:")).isEqualTo(new IdMapping(0, 100000, 65536));
    assertThat(IdMapping.parse("/7/8/1/")).isEqualTo(new IdMapping(7, 8, 1));
    for (String wrong :
        List.of("", ":", "::", "0:1:2", ":0:1:2", ":0:1:", ":0:1:0:", ":a:b:c:", ":0:-1:1:")) {
      assertThatThrownBy(() -> IdMapping.parse(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> IdMapping.parse(":4294967295:0:2:"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
