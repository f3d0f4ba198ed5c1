package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An image whose table leads a write of data onto metadata, written by qemu-io and by ours: both
 * refuse, or do not, with the same words, and leave the same mark in the header.
 */
class OverlapCheckTest {
  private static final long OFFSET = 0x00fffffffffffe00L;
  private static final long COPIED = 1L << 63;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "refcount table, none",
    "refcount table, constant",
    "refcount table, all",
    "refcount table, refcount-table=off",
    "active L1, constant",
    "active L1, template=none",
    "active L2, constant",
    "active L2, cached",
    "active L2, active-l2=off",
    "refcount block, constant",
    "refcount block, cached",
    "snapshot table, constant",
    "snapshot table, snapshot-table=off",
    "inactive L1, constant",
    "inactive L1, cached",
    "inactive L2, cached",
    "inactive L2, all",
    "inactive L2, inactive-l2=on",
    "inactive L2, 'template=all,overlap-check.inactive-l2=off'",
    "nothing, all",
    "nothing, odd",
    "nothing, odd=on",
  })
  void refusesWhatQemuRefuses(String victim, String checks) throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    Path theirs = folder.resolve("theirs.qcow2");
    Path ours = folder.resolve("ours.qcow2");
    prepare(theirs, victim);
    Files.copy(theirs, ours);
    Ran expected = Peers.run(command("qemu-io", checks, theirs));
    Ran actual = ourIo(command("qemu-io", checks, ours));
    assertThat(told(actual)).isEqualTo(told(expected));
    assertThat(corrupt(ours)).isEqualTo(corrupt(theirs));
  }

  private static List<String> command(String program, String checks, Path disk) {
    String option = "overlap-check" + (checks.contains("=") ? "." : "=") + checks;
    String node = "driver=qcow2,%s,file.filename=%s".formatted(option, disk);
    return List.of(program, "-c", "write 64k 64k", "-c", "read 0 4k", "--image-opts", node);
  }

  /** Guest cluster 1 is mapped, as if it were its own, to where the victim lies. */
  private static void prepare(Path disk, String victim) throws Exception {
    String name = disk.toString();
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", name, "64M").ok();
    Peers.run("qemu-io", "-c", "write 0 192k", name).ok();
    Peers.run("qemu-img", "snapshot", "-c", "s", name).ok();
    Peers.run("qemu-io", "-c", "write 64k 64k", name).ok();
    byte[] bytes = Files.readAllBytes(disk);
    ByteBuffer image = ByteBuffer.wrap(bytes);
    long activeL1 = image.getLong(40);
    long activeL2 = image.getLong((int) activeL1) & OFFSET;
    long refcountTable = image.getLong(48);
    long snapshots = image.getLong(64);
    long inactiveL1 = image.getLong((int) snapshots);
    int entry = (int) activeL2 + 8;
    long at =
        switch (victim) {
          case "active L1" -> activeL1;
          case "active L2" -> activeL2;
          case "refcount table" -> refcountTable;
          case "refcount block" -> image.getLong((int) refcountTable);
          case "snapshot table" -> snapshots;
          case "inactive L1" -> inactiveL1;
          case "inactive L2" -> image.getLong((int) inactiveL1) & OFFSET;
          case "nothing" -> image.getLong(entry) & OFFSET;
          default -> throw new AssertionError(victim);
        };
    image.putLong(entry, at | COPIED);
    Files.write(disk, bytes);
  }

  /** Bit 1 of the incompatible features. */
  private static boolean corrupt(Path disk) throws Exception {
    return (ByteBuffer.wrap(Files.readAllBytes(disk)).getLong(72) & 2) != 0;
  }

  private static String told(Ran ran) {
    return (ran.out() + ran.err() + ran.exitCode())
        .replaceAll("ops; .*", "ops; TIME")
        .replaceAll("\\S*(ours|theirs)\\.qcow2", "DISK");
  }

  private static Ran ourIo(List<String> command) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var io =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    int code = Main.run(command.subList(1, command.size()).toArray(new String[0]), "qemu-io", io);
    io.flush();
    return new Ran(
        command, code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
