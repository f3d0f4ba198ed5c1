package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.testkit.Peer;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hawser fs-state}, with a state that a daemon has saved, and with that daemon. */
class FsStateTest {
  @TempDir Path temp;
  private byte[] state;
  private String progress;
  private String metrics;

  @BeforeEach
  void save() throws Exception {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Path socket = temp.resolve("socket");
    String control = temp.resolve("control").toString();
    try (Peer _ = FsBackEnd.HAWSER.serve(shared, socket, "--control-socket=" + control);
        FuseClient guest = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = guest.operations();
      fuse.init().ok();
      fuse.create(ROOT_NODE, "named", 2, 0644, 0).ok();
      var gone = fuse.create(ROOT_NODE, "gone", 2, 0644, 0).created();
      byte[] content = "content".getBytes(StandardCharsets.US_ASCII);
      fuse.write(gone.entry().node(), gone.opened().handle(), 0, content).ok();
      fuse.unlink(ROOT_NODE, "gone").ok();
      state = guest.save();
      progress = Side.HAWSER.run("fs-state", "progress", control).ok().out();
      metrics = Side.HAWSER.run("fs-state", "metrics", control).ok().out();
    }
  }

  private Ran show(byte[] content, String... options) throws Exception {
    Path file = Files.write(temp.resolve("state"), content);
    var line = new java.util.ArrayList<>(List.of("show", file.toString()));
    line.addAll(List.of(options));
    return Side.HAWSER.run("fs-state", line.toArray(String[]::new));
  }

  @Test
  void whatASourceDidIsSeen() {
    assertThat(progress)
        .matches(
            "3 of 3 inodes, %d bytes; preparing \\d+ ms, finding \\d+ ms, saving \\d+ ms\n"
                .formatted(state.length));
    assertThat(metrics)
        .contains("hawser_fs_migration_departures_total 1\n")
        .contains("hawser_fs_migration_failures_total 0\n")
        .contains("hawser_fs_migration_state_bytes " + state.length + "\n")
        .containsPattern("hawser_fs_migration_phase_seconds\\{phase=\"saving\"} \\d+\\.\\d{6}\n");
  }

  @Test
  void aStateIsShown() throws Exception {
    assertThat(show(state).ok().out())
        .contains("inode 2, looked up 1 times, in use: 'named' in 1\n")
        .contains("in use: without a name, mode 100644, 7 bytes\n")
        .endsWith("3 inodes, 2 open files, 0 locks, 7 bytes of content; whole and undamaged\n");
    List<Json> lines = show(state, "--json").ok().out().lines().map(FsStateTest::json).toList();
    assertThat(lines.stream().map(line -> member(line, "kind")).distinct())
        .map(kind -> ((Json.Str) kind).value())
        .containsExactly("settings", "option", "inode", "content", "file", "end");
    assertThat(lines.stream().filter(line -> Json.of("named").equals(member(line, "name"))))
        .singleElement()
        .satisfies(line -> assertThat(member(line, "directory")).isEqualTo(Json.of(1)))
        .satisfies(line -> assertThat(member(line, "in-use")).isEqualTo(Json.of(true)));
    assertThat(lines.stream().filter(line -> Json.of("content").equals(member(line, "kind"))))
        .singleElement()
        .satisfies(line -> assertThat(member(line, "bytes")).isEqualTo(Json.of(7)));
  }

  private static Json json(String line) {
    return JsonReader.read(line);
  }

  private static Json member(Json of, String name) {
    return ((Json.Obj) of).members().get(name);
  }

  /** As QEMU's {@code migrate file:} has it: in pieces, after the guest's memory. */
  @Test
  void aMigrationStreamIsLookedThrough() throws Exception {
    var stream = new ByteArrayOutputStream();
    stream.writeBytes("QEVM\0\0\0\3".getBytes(StandardCharsets.ISO_8859_1));
    stream.writeBytes(new byte[3 << 20]);
    stream.writeBytes("\5\25vhost-user-fs-backend\0\0\0\1".getBytes(StandardCharsets.ISO_8859_1));
    int half = state.length / 2;
    stream.writeBytes(ByteBuffer.allocate(4).putInt(half).array());
    stream.write(state, 0, half);
    stream.writeBytes(ByteBuffer.allocate(4).putInt(state.length - half).array());
    stream.write(state, half, state.length - half);
    stream.writeBytes(new byte[4]);
    stream.writeBytes("the next section".getBytes(StandardCharsets.ISO_8859_1));
    String direct = show(state).ok().out();
    assertThat(show(stream.toByteArray()).ok().out()).isEqualTo(direct);
  }

  /** Of what is damaged anywhere nothing is believed, so nothing is printed. */
  @Test
  void aDamagedStateIsNotShown() throws Exception {
    byte[] changed = state.clone();
    changed[state.length - 1] ^= 1;
    for (byte[] damaged : List.of(changed, java.util.Arrays.copyOf(state, state.length - 1))) {
      Ran ran = show(damaged);
      assertThat(ran.exitCode()).isEqualTo(1);
      assertThat(ran.out()).isEmpty();
      assertThat(ran.err()).containsAnyOf("is damaged", "the state ends within");
    }
  }
}
