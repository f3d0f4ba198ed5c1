package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.ThreadCalls;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kernel says of our daemon in its sandbox is what it says of virtiofsd in its. */
class SandboxTest {
  private static final long ROOT = FuseOperations.ROOT_NODE;
  private static final int NOBODY = 65534;
  private static final List<String> NAMESPACES = List.of("mnt", "net", "pid", "user");

  @TempDir Path folder;
  private Path shared;

  @BeforeEach
  void makeShare() throws IOException {
    Assumptions.assumeTrue(ThreadCalls.userId() == 0, "needs root");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    shared = Files.createDirectory(folder.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.writeString(shared.resolve("file"), "content");
  }

  /** What the kernel says of a process: some lines of its status, and whose namespaces it has. */
  private static Map<String, String> confinement(long pid) throws IOException {
    var all = new TreeMap<>(status(Path.of("/proc/" + pid)));
    for (String each : NAMESPACES) {
      Path of = Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + each));
      boolean ours = of.equals(Files.readSymbolicLink(Path.of("/proc/self/ns/" + each)));
      all.put(each, ours ? "the machine's" : "its own");
    }
    all.put("mounts", Files.readAllLines(Path.of("/proc/" + pid + "/mountinfo")).size() + "");
    all.put("users", Files.readString(Path.of("/proc/" + pid + "/uid_map")).strip());
    return all;
  }

  private static Map<String, String> status(Path of) throws IOException {
    var lines = new TreeMap<String, String>();
    for (String line : Files.readAllLines(of.resolve("status"))) {
      if (line.matches("(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp|Uid|Gid):.*")) {
        int colon = line.indexOf(':');
        lines.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return lines;
  }

  private Peer start(FsBackEnd daemon, List<String> before, String options) {
    Assumptions.assumeTrue(FsBackEnd.isHere(), "needs virtiofsd");
    Path socket = folder.resolve(daemon.name());
    var all = new ArrayList<>(List.of("--socket-path=" + socket, "--shared-dir=" + shared));
    all.addAll(Stream.of(options.split(" ", -1)).filter(each -> !each.isEmpty()).toList());
    var command = new ArrayList<>(before);
    if (daemon == FsBackEnd.VIRTIOFSD) {
      command.add(FsBackEnd.PROGRAM.toString());
      command.addAll(all);
    } else {
      command.addAll(Side.HAWSER.command("virtiofsd", all.toArray(String[]::new)));
    }
    return Peers.start(command).awaitSocket(socket);
  }

  private FuseClient guest(FsBackEnd daemon) throws Exception {
    FuseClient client = FuseClient.connect(folder.resolve(daemon.name()), 1);
    client.operations().init().ok();
    return client;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--sandbox=namespace --modcaps=+sys_admin:-chown",
        "--sandbox=none --inode-file-handles=prefer",
        "--sandbox=none --seccomp=log --modcaps=-mknod:-setfcap"
      })
  void theKernelSaysOfOursWhatItSaysOfVirtiofsd(String options) throws Exception {
    try (Peer theirs = start(FsBackEnd.VIRTIOFSD, List.of(), options);
        Peer ours = start(FsBackEnd.HAWSER, List.of(), options);
        FuseClient here = guest(FsBackEnd.HAWSER);
        FuseClient there = guest(FsBackEnd.VIRTIOFSD)) {
      assertThat(read(here)).isEqualTo(read(there)).isEqualTo("content");
      long pid = FsBackEnd.serving(ours).pid();
      assertThat(confinement(pid)).isEqualTo(confinement(FsBackEnd.serving(theirs).pid()));
      assertThat(ours.err()).contains("virtiofsd: sandbox: ");
      // Every thread of the Java virtual machine, not only those that serve.
      assertThat(threads(pid).values()).containsOnly(status(Path.of("/proc/" + pid)));
    }
  }

  /** What the kernel says of each thread, by its name and number. */
  private static Map<String, Map<String, String>> threads(long pid) throws IOException {
    var found = new TreeMap<String, Map<String, String>>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        try {
          String name = Files.readString(task.resolve("comm")).strip();
          found.put(name + " " + task.getFileName(), status(task));
        } catch (IOException e) {
          // Some end while we look: those that got the daemon ready.
          assertThat(task).as(e.toString()).doesNotExist();
        }
      }
    }
    return found;
  }

  private static String read(FuseClient client) {
    FuseOperations guest = client.operations();
    long node = guest.lookup(ROOT, "file").ok().entry().node();
    long handle = guest.open(node, 0).ok().opened().handle();
    byte[] content = guest.read(node, handle, 0, 100).ok().data();
    guest.release(node, handle).ok();
    return new String(content, StandardCharsets.UTF_8);
  }

  /** Threads that were there before the change of root may still do that: the filter forbids it. */
  @Test
  void inItsOwnRootTheThreadsThatServeHaveNoMoreThanVirtiofsd() throws Exception {
    try (Peer theirs = start(FsBackEnd.VIRTIOFSD, List.of(), "--sandbox=chroot");
        Peer ours = start(FsBackEnd.HAWSER, List.of(), "--sandbox=chroot");
        FuseClient here = guest(FsBackEnd.HAWSER)) {
      assertThat(read(here)).isEqualTo("content");
      long pid = FsBackEnd.serving(ours).pid();
      Path root = Path.of("/proc/" + pid + "/root");
      assertThat(Files.readSymbolicLink(root)).isEqualTo(shared.toRealPath());
      Path their = Path.of("/proc/" + FsBackEnd.serving(theirs).pid());
      Map<String, Map<String, String>> threads = threads(pid);
      assertThat(threads.values())
          .allSatisfy(
              thread ->
                  assertThat(thread)
                      .containsEntry("Seccomp", "2")
                      .containsEntry("NoNewPrivs", "1"));
      threads.keySet().removeIf(name -> !name.startsWith("fs-"));
      assertThat(threads.values()).isNotEmpty().containsOnly(status(their));
    }
  }

  @ParameterizedTest
  @CsvSource({"'', 65534", "--uid-map=:0:65534:1: --gid-map=:0:65534:1:, 0"})
  void whoeverIsNotRootHasAUserNamespace(String options, int inside) throws Exception {
    var nobody =
        List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--");
    try (Peer theirs = start(FsBackEnd.VIRTIOFSD, nobody, options);
        Peer ours = start(FsBackEnd.HAWSER, nobody, options);
        FuseClient here = guest(FsBackEnd.HAWSER);
        FuseClient there = guest(FsBackEnd.VIRTIOFSD)) {
      long pid = FsBackEnd.serving(ours).pid();
      Map<String, String> mine = confinement(pid);
      Map<String, String> other = confinement(FsBackEnd.serving(theirs).pid());
      if (inside == NOBODY) {
        // virtiofsd keeps all capabilities in its namespace then; we keep what files take.
        for (String each : List.of("CapPrm", "CapEff", "CapBnd")) {
          assertThat(other.remove(each)).isEqualTo("000001ffffffffff");
        }
        assertThat(mine.remove("CapPrm")).isEqualTo("00000000880000db");
        assertThat(mine.remove("CapEff")).isEqualTo("00000000880000db");
        assertThat(mine.remove("CapBnd")).isEqualTo("0000000000000000");
      }
      assertThat(mine).isEqualTo(other).containsEntry("user", "its own");
      for (FuseClient client : List.of(here, there)) {
        FuseOperations guest = client.operations();
        String name = client == here ? "by-ours" : "by-theirs";
        long node = guest.mkdir(ROOT, name, 0755, 0).ok().entry().node();
        assertThat(guest.getattr(node).ok().attributes().uid()).isEqualTo(inside);
        assertThat(Files.getAttribute(shared.resolve(name), "unix:uid")).isEqualTo(NOBODY);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nobody|--sandbox=chroot",
        "root|--uid-map=:0:100000:65536:",
        "root|--rlimit-nofile=2000000000"
      })
  void whatCannotBeHadIsRefusedAsByVirtiofsd(String user, String option) {
    Assumptions.assumeTrue(FsBackEnd.isHere(), "needs virtiofsd");
    var command = new ArrayList<String>();
    if (user.equals("nobody")) {
      command.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY));
      command.addAll(List.of("--clear-groups", "--"));
    }
    var theirs = new ArrayList<>(command);
    theirs.addAll(List.of(FsBackEnd.PROGRAM.toString(), option));
    theirs.addAll(List.of("--socket-path=" + folder.resolve("a"), "--shared-dir=" + shared));
    command.addAll(
        Side.HAWSER.command(
            "virtiofsd", option, "--socket-path=" + folder.resolve("b"), "--shared-dir=" + shared));
    assertThat(Peers.run(theirs).exitCode()).isNotZero();
    assertThat(Peers.run(command).exitCode()).isEqualTo(Peers.run(theirs).exitCode());
  }

  @Test
  void aGroupMayConnect() throws Exception {
    try (Peer theirs = start(FsBackEnd.VIRTIOFSD, List.of(), "--socket-group=nogroup");
        Peer ours = start(FsBackEnd.HAWSER, List.of(), "--socket-group=nogroup");
        Peer alone = FsBackEnd.HAWSER.serve(shared, folder.resolve("alone"))) {
      for (FsBackEnd each : FsBackEnd.values()) {
        assertThat(Files.readAttributes(folder.resolve(each.name()), "unix:mode,gid"))
            .isEqualTo(Map.of("mode", 0140770, "gid", NOBODY));
      }
      assertThat(Files.getAttribute(folder.resolve("alone"), "unix:mode")).isEqualTo(0140700);
      assertThat(List.of(theirs, ours, alone)).allMatch(peer -> peer.process().isAlive());
    }
  }

  /** The process outside passes signals on, ends as the one inside does, and leaves no socket. */
  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void aSignalEndsBothProcesses(String signal) throws Exception {
    try (Peer ours = start(FsBackEnd.HAWSER, List.of(), "");
        FuseClient _ = guest(FsBackEnd.HAWSER)) {
      ProcessHandle inside = FsBackEnd.serving(ours);
      assertThat(inside.pid()).isNotEqualTo(ours.process().pid());
      Peers.run("kill", "-" + signal, String.valueOf(ours.process().pid())).ok();
      assertThat(ours.await()).as(ours.err()).isZero();
      assertThat(inside.isAlive()).isFalse();
      assertThat(folder.resolve("HAWSER")).doesNotExist();
    }
  }

  @Test
  void neitherProcessOutlivesTheOther() throws Exception {
    try (Peer ours = start(FsBackEnd.HAWSER, List.of(), "");
        FuseClient _ = guest(FsBackEnd.HAWSER)) {
      ProcessHandle inside = FsBackEnd.serving(ours);
      ours.kill();
      inside.onExit().join();
    }
    try (Peer ours = start(FsBackEnd.HAWSER, List.of(), "");
        FuseClient _ = guest(FsBackEnd.HAWSER)) {
      Peers.run("kill", "-KILL", String.valueOf(FsBackEnd.serving(ours).pid())).ok();
      assertThat(ours.await()).isEqualTo(128 + 9);
    }
  }
}
