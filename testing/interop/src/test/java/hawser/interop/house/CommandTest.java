package hawser.interop.house;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code ./hawser} on machines of every kind: a copy of it in a folder with a space in its name,
 * over the programs that are built already. What a machine lacks is hidden in a mount namespace.
 */
class CommandTest {
  @TempDir Path temp;
  private Path clone;
  private Path stubs;

  @BeforeEach
  void copy() throws IOException {
    clone = Files.createDirectories(temp.resolve("my clone"));
    stubs = Files.createDirectories(temp.resolve("stubs"));
    Files.copy(Side.ROOT.resolve("hawser"), clone.resolve("hawser"));
    Files.createSymbolicLink(clone.resolve("dist"), Side.ROOT.resolve("dist"));
    for (String file : new String[] {"pom.xml", "tools/pom.xml", "tools/src/A", "core/a/src/A"}) {
      Path old = clone.resolve(file);
      Files.createDirectories(old.getParent());
      Files.createFile(old);
      Files.setLastModifiedTime(old, FileTime.fromMillis(0));
    }
    Files.createFile(clone.resolve("core/a/pom.xml"));
    Path target = Files.createDirectories(clone.resolve("tools/target"));
    Files.createSymbolicLink(target.resolve("modules"), Side.ROOT.resolve("tools/target/modules"));
    for (String old : new String[] {"tools/src", "core/a/src", "core/a/pom.xml"}) {
      Files.setLastModifiedTime(clone.resolve(old), FileTime.fromMillis(0));
    }
    Files.createFile(target.resolve("built"));
  }

  private void stub(String name, String script) throws IOException {
    Path file = stubs.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + script);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  /** Runs a script for the shell with our stubs first on PATH and JAVA_HOME of another release. */
  private Ran shell(String script) throws IOException {
    Path old = Files.createDirectories(temp.resolve("jdk-17/bin"));
    Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"17.0.15\"\n");
    if (!Files.exists(old.resolve("javac"))) {
      assertThat(Files.createFile(old.resolve("javac")).toFile().setExecutable(true)).isTrue();
    }
    var command = new ArrayList<>(List.of("/usr/bin/env", "JAVA_HOME=" + old.getParent()));
    command.addAll(List.of("HOME=" + temp, "REAL_JDK=" + System.getProperty("java.home")));
    command.addAll(List.of("STUBS=" + stubs, "CLONE=" + clone, "TEMP=" + temp));
    command.addAll(List.of("/bin/sh", "-eu", "-c", "PATH=$STUBS:$PATH\n" + script));
    return Peers.run(command);
  }

  /** The same with no JDK and no Maven in sight; {@code $TEMP/jdk} is one to install. */
  private Ran bare(String script) throws IOException {
    Assumptions.assumeTrue(
        Peers.find("unshare").isPresent()
            && Peers.run("unshare", "-r", "-m", "mount", "-t", "tmpfs", "none", "/opt").exitCode()
                == 0,
        "needs a mount namespace");
    Files.writeString(
        temp.resolve("script"),
        """
        mkdir "$TEMP/jdk"
        mount --bind "$REAL_JDK" "$TEMP/jdk"
        for folder in /usr/lib/jvm /opt /usr/share/maven; do
          [ ! -d $folder ] || mount -t tmpfs none $folder
        done
        """
            + script);
    return shell("unset JAVA_HOME\nexec unshare -r -m sh -eu \"$TEMP/script\"");
  }

  @Test
  void anOlderJavaHomeIsPassedOverInAFolderWithASpace() throws Exception {
    Ran ran = shell("cd / && \"$CLONE/hawser\" img --version");
    assertThat(ran.ok().out()).startsWith("qemu-img version");
  }

  @Test
  void worksThroughALinkFromElsewhere() throws Exception {
    Ran ran = shell("ln -s \"$CLONE/hawser\" \"$TEMP/link\"; cd /; CDPATH=/: \"$TEMP/link\" help");
    assertThat(ran.ok().out()).startsWith("usage: ./hawser COMMAND");
    assertThat(shell("cd \"$TEMP\"; ./link img --version").ok().out()).startsWith("qemu-img");
  }

  @Test
  void rootOnDebianGetsAJdk() throws Exception {
    Assumptions.assumeTrue(Files.isReadable(Path.of("/etc/debian_version")), "needs Debian");
    stub("apt-cache", "[ \"$2\" = openjdk-25-jdk-headless ]\n");
    stub(
        "apt-get",
        """
        echo "$@" >>"$TEMP/asked"
        case "$*" in *install*openjdk-25*) mkdir -p /usr/lib/jvm; ln -s "$TEMP/jdk" /usr/lib/jvm/new ;; esac
        """);
    Ran ran = bare("export TEMP; \"$CLONE/hawser\" img --version");
    assertThat(ran.ok().out()).startsWith("qemu-img version");
    assertThat(ran.err()).isEqualTo("hawser: installing openjdk-25-jdk-headless\n");
    assertThat(temp.resolve("asked")).content().contains("update").contains("install");
  }

  @Test
  void whoMayNotInstallIsToldWhat() throws Exception {
    stub("id", "echo 1000\n");
    stub("apt-get", "echo apt-get was called >&2\n");
    Ran ran = bare("\"$CLONE/hawser\" up");
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.err())
        .startsWith("hawser: needs a JDK 25 or newer")
        .contains("openjdk-25-jdk-headless")
        .contains("set JAVA_HOME")
        .doesNotContain("apt-get was called");
  }

  @Test
  void aMachineWithoutMavenIsToldWhatToInstall() throws Exception {
    stub("id", "echo 1000\n");
    stub("mvn", "echo Apache Maven 3.6.3\n");
    Ran ran =
        bare(
            """
            export JAVA_HOME="$TEMP/jdk"
            touch -d '1 hour' "$CLONE/pom.xml"
            "$CLONE/hawser" img --version
            """);
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.err())
        .startsWith("hawser: needs Apache Maven 3.8 or newer")
        .contains("the package maven");
  }

  @Test
  void aTestThatIsNotThereIsNamed() throws Exception {
    assertThat(Files.createDirectories(clone.resolve("testing"))).exists();
    stub("mvn", "echo Apache Maven 3.9.0\n");
    for (String script : new String[] {"peers.sh", "sum-up.sh"}) {
      Path file = clone.resolve("testing/" + script);
      Files.writeString(file, "#!/bin/sh\n");
      assertThat(file.toFile().setExecutable(true)).isTrue();
    }
    Ran ran = shell("\"$CLONE/hawser\" test nbd.NoSuchTest");
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.err()).contains("no test's path contains 'nbd/NoSuchTest'");
  }
}
