package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.interop.fs.FsBackEnd;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest works hard in a shared folder, with the host's programs: whatever fails with our daemon
 * fails with virtiofsd too. {@code -Dhawser.stress=all} does everything, which takes half an hour;
 * {@code -Dhawser.stress.options} adds options to both daemons.
 */
class FileSystemStressTest {
  private static final boolean ALL = "all".equals(System.getProperty("hawser.stress"));
  private static final String OPTIONS = System.getProperty("hawser.stress.options", "");

  /** A second folder, of the host's programs, which is always ours. */
  private static final String TOOLS =
      "mkdir -p /host/proc /host/dev /host/tmp /host/etc /host/mnt /host/usr"
          + " && mount -t virtiofs tools /host/usr"
          + " && for d in bin sbin lib lib64; do ln -s usr/$d /host/$d; done"
          + " && mkdir /host/etc/alternatives && ln -s /usr/bin/mawk /host/etc/alternatives/awk"
          + " && echo root:x:0:0::/tmp:/bin/sh >/host/etc/passwd"
          + " && mount -t proc proc /host/proc && cd /host/dev && mknod null c 1 3"
          + " && mknod zero c 1 5 && mknod full c 1 7 && mknod random c 1 8 && mknod urandom c 1 9";

  @TempDir Path folder;

  @Test
  void whatFailsHereFailsWithVirtiofsdToo() throws Exception {
    Peers.requires("stress-ng", "fio", "git", "make", "gcc");
    // The guest has these programs below /usr, where a merged system has all of them.
    Assumptions.assumeTrue(Files.isSymbolicLink(Path.of("/lib")), "needs a merged /usr");
    var guests = new LinkedHashMap<FsBackEnd, FutureTask<Map<String, Ran>>>();
    for (FsBackEnd daemon : FsBackEnd.values()) {
      var guest = new FutureTask<>((Callable<Map<String, Ran>>) () -> results(daemon));
      guests.put(daemon, guest);
      Thread.ofPlatform().start(guest);
    }
    Map<String, Ran> theirs = guests.get(FsBackEnd.VIRTIOFSD).get();
    Map<String, Ran> ours = guests.get(FsBackEnd.HAWSER).get();
    write(theirs, ours);
    // All of the few succeed; of the others some need what no shared folder has.
    ours.forEach(
        (name, ran) ->
            assertThat(ran.exitCode())
                .as("%s: %s", name, ran.out())
                .isIn(0, ALL ? theirs.get(name).exitCode() : 0));
  }

  /** How each piece of work ended. */
  private Map<String, Ran> results(FsBackEnd daemon) throws Exception {
    Path place = Files.createDirectories(folder.resolve(daemon.name()));
    Path shared = Files.createDirectory(place.resolve("shared"));
    project(Files.createDirectory(shared.resolve("project")));
    Path lab = place.resolve("lab.sock");
    Path tools = place.resolve("tools.sock");
    var options = Stream.concat(Stream.of("--xattr"), Stream.of(OPTIONS.split(" ")));
    var results = new LinkedHashMap<String, Ran>();
    try (Peer under =
            daemon.serve(shared, lab, options.filter(o -> !o.isEmpty()).toArray(String[]::new));
        Peer _ = FsBackEnd.HAWSER.serve(Path.of("/usr"), tools, "--readonly", "--cache=always");
        Machine guest = Machine.boot(place, devices(lab, tools))) {
      guest.run(TOOLS + " && mount -t virtiofs lab /host/mnt").ok();
      for (StressWork work : ALL ? StressWork.all() : StressWork.few()) {
        results.put(work.name(), within(guest, shared, work));
      }
      guest.run("umount /host/mnt").ok();
      guest.execute("quit", "{}");
      // virtiofsd ends with 1 after a signal.
      int code = under.terminate();
      assertThat(daemon == FsBackEnd.HAWSER ? code : 0).as(under.err()).isZero();
    }
    return results;
  }

  /** The serial port is no place for long lines. */
  private static Ran within(Machine guest, Path shared, StressWork work) throws IOException {
    Path line = Files.createTempFile(shared, "line", "");
    Files.writeString(line, work.line() + "\n");
    Ran ran = guest.run("within /mnt/" + line.getFileName());
    Files.delete(line);
    return ran;
  }

  private static String[] devices(Path lab, Path tools) {
    return Stream.concat(
            Stream.of(Machine.share(lab, "")),
            Stream.of(
                "-chardev",
                "socket,id=tools,path=" + tools,
                "-device",
                "vhost-user-fs-pci,chardev=tools,tag=tools"))
        .toArray(String[]::new);
  }

  /** What is built: zlib for all, one of our own programs for a few. */
  private static void project(Path into) throws IOException {
    if (ALL) {
      Path archive = Side.ROOT.resolve("testing/target/project.tar");
      Assumptions.assumeTrue(Files.exists(archive), "needs the sources that peers.sh fetches");
      Peers.run("tar", "-xf", archive.toString(), "-C", into.toString(), "--strip-components=1")
          .ok();
      return;
    }
    Path source = Side.ROOT.resolve("testing/interop/src/test/resources/guest/held.c");
    Files.copy(source, into.resolve("held.c"));
    Files.writeString(into.resolve("Makefile"), "held: held.c\n\tgcc -O0 -o held held.c\n");
  }

  private static void write(Map<String, Ran> theirs, Map<String, Ran> ours) throws IOException {
    List<String> lines =
        ours.keySet().stream()
            .map(
                name ->
                    "%-40s %5d %5d"
                        .formatted(name, ours.get(name).exitCode(), theirs.get(name).exitCode()))
            .toList();
    Path file = Side.ROOT.resolve("testing/interop/target/stress.txt");
    Files.writeString(file, "exit codes: ours, virtiofsd's\n" + String.join("\n", lines) + "\n");
    var said = new StringBuilder();
    ours.forEach((name, ran) -> said.append("== ours: ").append(name).append(ran.out()));
    theirs.forEach((name, ran) -> said.append("== virtiofsd: ").append(name).append(ran.out()));
    Files.writeString(file.resolveSibling("stress-said.txt"), said);
  }
}
