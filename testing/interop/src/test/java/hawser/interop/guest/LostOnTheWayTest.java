package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.interop.fs.FsBackEnd;
import hawser.qmp.QmpEvents;
import hawser.testkit.Peer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What virtiofsd, asked for nothing special, loses on a guest's way, and ours does not: each kind
 * of open file by itself, from one daemon to another of the same program.
 */
class LostOnTheWayTest {
  private static final long UNDER_WAY_BYTES = 1 << 20;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "HAWSER, unlinked, '', completed",
    "VIRTIOFSD, unlinked, '', failed",
    "HAWSER, replaced_by_host, '', completed",
    "VIRTIOFSD, replaced_by_host, '', completed: holds 'somebody else's",
    "HAWSER, append, --writeback, completed",
    "VIRTIOFSD, append, --writeback, completed",
  })
  void whatBecomesOfIt(FsBackEnd program, String kind, String option, String expected)
      throws Exception {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Files.createDirectory(shared.resolve("cached"));
    Path newSocket = folder.resolve("new.sock");
    Path oldSocket = folder.resolve("old.sock");
    String[] options =
        option.isEmpty() ? new String[] {"--xattr"} : new String[] {"--xattr", option};
    try (Peer here = program.serve(shared, oldSocket, options);
        Peer there = program.serve(shared, newSocket, options);
        Machine source = Machine.wake(folder.resolve("old"));
        Machine target =
            Machine.awaiting(folder.resolve("new"), Machine.share(newSocket, Machine.PLUGGED))) {
      source.plugShare(oldSocket);
      SharedFolderMigrationTest.hold(source, 0, kind);
      String end = move(source, target, shared);
      Machine now = end.equals("completed") ? target : source;
      var wrong = new ArrayList<String>(SharedFolderMigrationTest.failures(now));
      if (kind.equals("append")
          && !Files.readString(shared.resolve(kind)).equals("line 1\nline 2\nline 3\n")) {
        wrong.add("append: the host finds other lines");
      }
      String all = end + String.join("", wrong).replaceFirst(kind, "");
      assertThat(all).as("%s%s", here.err(), there.err()).startsWith(expected);
      assertThat(wrong.isEmpty()).isEqualTo(!expected.contains(":"));
    }
  }

  /** Migrates; third parties change files when the source has long begun to prepare. */
  private String move(Machine source, Machine target, Path shared) throws Exception {
    String uri = "{'uri': 'unix:%s'}".formatted(folder.resolve("migration.sock"));
    for (Machine machine : List.of(source, target)) {
      machine.tellOfMigrations(true);
    }
    source.execute("migrate-set-parameters", "{'max-bandwidth': 1000000}");
    try (QmpEvents left = source.qmp().listen("MIGRATION")) {
      target.execute("migrate-incoming", uri);
      source.execute("migrate", uri);
      while (!isUnderWay(source)) {
        Thread.onSpinWait();
      }
      SharedFolderMigrationTest.behindItsBack(shared);
      source.execute("migrate-set-parameters", "{'max-bandwidth': 1000000000}");
      return Machine.endOfMigration(left);
    }
  }

  private static boolean isUnderWay(Machine source) {
    return source.execute("query-migrate", "{}") instanceof Json.Obj(var now)
        && now.get("ram") instanceof Json.Obj(var ram)
        && ram.get("transferred") instanceof Json.Num(var bytes)
        && bytes.longValue() > UNDER_WAY_BYTES;
  }
}
