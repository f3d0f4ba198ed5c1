package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Change;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.LockRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * What a guest holds open in a share, kind by kind, and what each must still be after a journey.
 * Looking changes nothing that the next look would miss, so that journeys can follow each other.
 */
final class HeldFiles {
  private static final int O_RDONLY = 0;
  private static final int O_RDWR = 2;
  private static final int O_APPEND = 02000;
  private static final int LISTED = 300;
  private static final int SMALL_ROOM = 2048;
  private static final int LARGE_ROOM = 64 << 10;
  private static final int EAGAIN = 11;
  private static final int ROOM = 256;

  private final Path shared;
  private final FuseOperations fuse;
  private final boolean writeback;
  private final Map<String, Consumer<FuseOperations>> checks = new LinkedHashMap<>();
  private final List<Host> onHost = new ArrayList<>();

  /** What a third party does. */
  private interface Host {
    void act() throws IOException;
  }

  /** An open file. */
  private record Open(long node, long handle) {}

  /** Nothing held yet. */
  HeldFiles(Path shared, FuseOperations fuse, boolean writeback) {
    this.shared = shared;
    this.fuse = fuse;
    this.writeback = writeback;
  }

  /** Kinds that every program can take along, by whatever means. */
  HeldFiles named() {
    regular();
    readOnly();
    append();
    linked();
    movedByHost();
    belowMovedByHost();
    halfRead();
    deep();
    special();
    symlink();
    modeZero();
    return this;
  }

  /** Kinds that have no name any more, or never had one that leads to them. */
  HeldFiles nameless() {
    unlinked();
    replacedByHost();
    removedByHost();
    removedDirectory();
    notUtf8();
    return this;
  }

  /** What virtiofsd does not serve. */
  HeldFiles ownKinds() {
    tmpfile();
    locked();
    return this;
  }

  /** Files in a file system that is mounted inside the share. */
  HeldFiles submount() {
    long mount = fuse.lookup(ROOT_NODE, "submount").entry().node();
    Open named = create(mount, "named", O_RDWR, 0644, "on the submount\n");
    checks.put("submount", on -> alive(on, named, "on the submount\n"));
    return this;
  }

  /** A file without a name there. */
  HeldFiles submountNameless() {
    long mount = fuse.lookup(ROOT_NODE, "submount").entry().node();
    Open gone = create(mount, "gone", O_RDWR, 0644, "gone from the submount\n");
    fuse.unlink(mount, "gone").ok();
    checks.put("submount, nameless", on -> alive(on, gone, "gone from the submount\n"));
    return this;
  }

  /** A third party does what it does to some of them. */
  HeldFiles behindItsBack() throws IOException {
    Files.createDirectories(shared.resolve("elsewhere"));
    for (Host host : onHost) {
      host.act();
    }
    onHost.clear();
    return this;
  }

  /** What is wrong, a line for each kind of which something is. */
  List<String> failures(FuseOperations on) {
    var failures = new ArrayList<String>();
    checks.forEach(
        (kind, check) -> {
          try {
            check.accept(on);
          } catch (AssertionError e) {
            failures.add(kind + ": " + e.getMessage());
          }
        });
    return failures;
  }

  private Open create(long directory, String name, int flags, int mode, String content) {
    Answer.Created made = fuse.create(directory, name, flags, mode, 0).created();
    var open = new Open(made.entry().node(), made.opened().handle());
    byte[] bytes = bytes(content);
    assertThat(fuse.write(open.node, open.handle, 0, bytes).count()).isEqualTo(bytes.length);
    return open;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void is(FuseOperations on, Open file, String content) {
    assertThat(new String(on.read(file.node, file.handle, 0, ROOM).data(), StandardCharsets.UTF_8))
        .isEqualTo(content);
  }

  /** It can be read, written, cut, and has its attributes. */
  private static void alive(FuseOperations on, Open file, String content) {
    is(on, file, content);
    byte[] more = bytes("more\n");
    int end = content.length();
    assertThat(on.write(file.node, file.handle, end, more).count()).isEqualTo(more.length);
    is(on, file, content + "more\n");
    assertThat(on.getattr(file.node).attributes().size()).isEqualTo(end + more.length);
    on.setattr(file.node, Change.size(end)).ok();
    is(on, file, content);
  }

  private void regular() {
    Open file = create(ROOT_NODE, "regular", O_RDWR, 0644, "one two three\n");
    long inode = fuse.getattr(file.node).attributes().inode();
    checks.put(
        "regular",
        on -> {
          alive(on, file, "one two three\n");
          assertThat(on.getattr(file.node).attributes().inode()).isEqualTo(inode);
          assertThat(on.lookup(ROOT_NODE, "regular").entry().node()).isEqualTo(file.node);
        });
  }

  private void readOnly() {
    Open made = create(ROOT_NODE, "read-only", O_RDWR, 0444, "read\n");
    fuse.release(made.node, made.handle).ok();
    var file = new Open(made.node, fuse.open(made.node, O_RDONLY).opened().handle());
    checks.put(
        "read only",
        on -> {
          is(on, file, "read\n");
          assertThat(on.write(file.node, file.handle, 0, bytes("x")).error()).isNotZero();
        });
  }

  /** Under write-back the guest writes whole pages, and knows itself where the end is. */
  private void append() {
    Open file = create(ROOT_NODE, "append", O_RDWR | O_APPEND, 0644, "line 1\n");
    checks.put(
        "O_APPEND",
        on -> {
          byte[] page = bytes(writeback ? "line 1\nline 2\n" : "line 2\n");
          on.write(file.node, file.handle, 0, page, writeback ? 0 : O_RDWR | O_APPEND).ok();
          assertThat(shared.resolve("append")).hasContent("line 1\nline 2\n");
          on.setattr(file.node, Change.size(7)).ok();
        });
  }

  private void linked() {
    Open file = create(ROOT_NODE, "linked", O_RDWR, 0644, "linked\n");
    fuse.link(file.node, ROOT_NODE, "linked-too").ok();
    fuse.rename(ROOT_NODE, "linked", ROOT_NODE, "linked-renamed").ok();
    checks.put(
        "hard-linked, then renamed",
        on -> {
          alive(on, file, "linked\n");
          assertThat(on.getattr(file.node).attributes().links()).isEqualTo(2);
          for (String name : List.of("linked-renamed", "linked-too")) {
            assertThat(on.lookup(ROOT_NODE, name).entry().node()).isEqualTo(file.node);
          }
        });
  }

  private void movedByHost() {
    Open file = create(ROOT_NODE, "moved", O_RDWR, 0644, "moved\n");
    onHost.add(() -> Files.move(shared.resolve("moved"), shared.resolve("elsewhere/moved")));
    checks.put(
        "moved by the host",
        on -> {
          alive(on, file, "moved\n");
          assertThat(shared.resolve("elsewhere/moved")).hasContent("moved\n");
        });
  }

  private void belowMovedByHost() {
    long tree = fuse.mkdir(ROOT_NODE, "tree", 0755, 0).entry().node();
    Open file = create(tree, "file", O_RDWR, 0644, "below\n");
    onHost.add(() -> Files.move(shared.resolve("tree"), shared.resolve("elsewhere/tree")));
    checks.put("its directory moved by the host", on -> alive(on, file, "below\n"));
  }

  private void halfRead() {
    long directory = fuse.mkdir(ROOT_NODE, "half-read", 0755, 0).entry().node();
    for (int i = 0; i < LISTED; i++) {
      fuse.mknod(directory, "entry-" + i, 0100644, 0, 0).ok();
    }
    long handle = fuse.opendir(directory).opened().handle();
    List<Answer.Dirent> first = fuse.readdir(directory, handle, 0, SMALL_ROOM).listing();
    assertThat(first).isNotEmpty().hasSizeLessThan(LISTED);
    checks.put(
        "directory, half read",
        on -> {
          var names = new ArrayList<>(first.stream().map(Answer.Dirent::name).toList());
          long offset = first.getLast().offset();
          List<Answer.Dirent> some = on.readdir(directory, handle, offset, LARGE_ROOM).listing();
          while (!some.isEmpty()) {
            names.addAll(some.stream().map(Answer.Dirent::name).toList());
            offset = some.getLast().offset();
            some = on.readdir(directory, handle, offset, LARGE_ROOM).listing();
          }
          assertThat(names).doesNotHaveDuplicates().hasSize(LISTED + 2);
          assertThat(new TreeSet<>(names)).contains("entry-0", "entry-" + (LISTED - 1));
        });
  }

  private void deep() {
    long at = ROOT_NODE;
    for (int i = 0; i < 40; i++) {
      at = fuse.mkdir(at, "deep-" + i, 0755, 0).entry().node();
    }
    long directory = at;
    Open file = create(directory, "file", O_RDWR, 0644, "deep\n");
    checks.put(
        "deep in a tree",
        on -> {
          alive(on, file, "deep\n");
          assertThat(on.lookup(directory, "file").entry().node()).isEqualTo(file.node);
        });
  }

  private void special() {
    for (int type : new int[] {0010000, 0140000, 0020000}) {
      String name = "special-" + Integer.toOctalString(type);
      int device = type == 0020000 ? 1 << 8 | 3 : 0;
      long node = fuse.mknod(ROOT_NODE, name, type | 0600, device, 0).entry().node();
      checks.put(
          name,
          on -> {
            assertThat(on.getattr(node).attributes().mode()).isEqualTo(type | 0600);
            assertThat(on.getattr(node).attributes().rdev()).isEqualTo(device);
          });
    }
  }

  private void symlink() {
    long node = fuse.symlink(ROOT_NODE, "symlink", "where/it/leads").entry().node();
    checks.put("symlink", on -> assertThat(on.readlink(node).text()).isEqualTo("where/it/leads"));
  }

  private void modeZero() {
    Open file = create(ROOT_NODE, "mode-0", O_RDWR, 0, "mode 0\n");
    checks.put("mode 0", on -> alive(on, file, "mode 0\n"));
  }

  private void unlinked() {
    Open file = create(ROOT_NODE, "unlinked", O_RDWR, 0644, "unlinked\n");
    fuse.unlink(ROOT_NODE, "unlinked").ok();
    checks.put("unlinked", on -> alive(on, file, "unlinked\n"));
  }

  private void replacedByHost() {
    Open file = create(ROOT_NODE, "replaced", O_RDWR, 0644, "the guest's\n");
    onHost.add(
        () -> {
          Path other = Files.writeString(shared.resolve("other"), "somebody else's\n");
          Files.move(other, shared.resolve("replaced"), StandardCopyOption.REPLACE_EXISTING);
        });
    checks.put(
        "replaced by the host",
        on -> {
          alive(on, file, "the guest's\n");
          assertThat(shared.resolve("replaced")).hasContent("somebody else's\n");
        });
  }

  private void removedByHost() {
    Open file = create(ROOT_NODE, "removed", O_RDWR, 0644, "removed\n");
    onHost.add(() -> Files.delete(shared.resolve("removed")));
    checks.put("removed by the host", on -> alive(on, file, "removed\n"));
  }

  private void removedDirectory() {
    long node = fuse.mkdir(ROOT_NODE, "removed-directory", 0755, 0).entry().node();
    long handle = fuse.opendir(node).opened().handle();
    fuse.rmdir(ROOT_NODE, "removed-directory").ok();
    checks.put(
        "removed directory",
        on -> {
          assertThat(on.getattr(node).attributes().mode()).isEqualTo(0040755);
          assertThat(on.readdir(node, handle, 0, LARGE_ROOM).error()).isIn(0, 2);
        });
  }

  private void notUtf8() {
    String name = "not-\u00ff\u00fe-utf-8";
    Open file = create(ROOT_NODE, name, O_RDWR, 0644, "bytes\n");
    checks.put(
        "a name that is not UTF-8",
        on -> {
          alive(on, file, "bytes\n");
          assertThat(on.lookup(ROOT_NODE, name).entry().node()).isEqualTo(file.node);
        });
  }

  private void tmpfile() {
    Answer.Created made = fuse.tmpfile(ROOT_NODE, O_RDWR, 0600, 0).created();
    var file = new Open(made.entry().node(), made.opened().handle());
    fuse.write(file.node, file.handle, 0, bytes("nameless\n")).ok();
    checks.put("O_TMPFILE", on -> alive(on, file, "nameless\n"));
  }

  private void locked() {
    Open ranges = create(ROOT_NODE, "locked", O_RDWR, 0644, "0123456789");
    var held = LockRequest.range(7, LockRequest.WRITE, 3, 5);
    fuse.setlk(ranges.node, ranges.handle, held).ok();
    checks.put(
        "lock of fcntl",
        on -> {
          var other = LockRequest.range(8, LockRequest.WRITE, 5, 9);
          assertThat(on.setlk(ranges.node, ranges.handle, other).error()).isEqualTo(EAGAIN);
          Answer.Lock found = on.getlk(ranges.node, ranges.handle, other).lock();
          assertThat(List.of(found.start(), found.end())).containsExactly(3L, 5L);
        });
    Open whole = create(ROOT_NODE, "flocked", O_RDWR, 0644, "flock");
    fuse.setlk(whole.node, whole.handle, LockRequest.whole(whole.handle, LockRequest.WRITE)).ok();
    checks.put(
        "lock of flock",
        on -> {
          long handle = on.open(whole.node, O_RDWR).opened().handle();
          var other = LockRequest.whole(handle, LockRequest.WRITE);
          assertThat(on.setlk(whole.node, handle, other).error()).isEqualTo(EAGAIN);
          on.release(whole.node, handle).ok();
        });
  }
}
