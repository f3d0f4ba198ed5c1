package hawser.fs.passthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Inodes whose descriptors are closed are opened again by their names, however deep they lie. */
class InodesTest {
  /** As deep as a path that ends at the folder's content can be, nearly. */
  private static final int DEEP = 1900;

  private static final int DESCRIPTORS = 8;

  @TempDir Path folder;
  private final Statx status = new Statx();
  private Inodes inodes;

  @BeforeEach
  void open() throws BlockFault {
    open(HandleMode.NEVER);
  }

  private void open(HandleMode mode) throws BlockFault {
    open(mode, Inodes.COUNT_MAX);
  }

  private void open(HandleMode mode, int countMax) throws BlockFault {
    byte[] path = folder.toString().getBytes(StandardCharsets.UTF_8);
    int flags = FileCalls.O_PATH | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC;
    int fd = (int) Kernel.check(PathCalls.openat(PathCalls.AT_FDCWD, path, flags, 0));
    Kernel.check(PathCalls.statx(fd, status));
    var folder = new Descriptor(fd);
    FileHandles handles = FileHandles.of(mode, folder, _ -> {});
    inodes = new Inodes(folder, status, countMax, DESCRIPTORS, new Journal(null, _ -> {}), handles);
  }

  @AfterEach
  void close() throws IOException {
    inodes.close();
    flatten(folder.resolve("d"));
  }

  /** Removes directories in each other from the top: by their paths it would take a minute. */
  private void flatten(Path deep) throws IOException {
    Path rest = folder.resolve("rest");
    while (Files.exists(deep.resolve("d"))) {
      Files.move(deep.resolve("d"), rest);
      Files.delete(deep);
      Files.move(rest, deep);
    }
  }

  /** A new directory that the guest has looked up. */
  private Inode mkdir(Inode in, String called) throws BlockFault {
    Name name = Name.of(called);
    Descriptor held = inodes.hold(in);
    try {
      Kernel.check(PathCalls.mkdirat(held.fd, name.bytes(), 0755));
      Kernel.check(PathCalls.statx(held.fd, name.bytes(), 0, status));
      byte[] handle = inodes.handles.of(held.fd, name.bytes());
      return inodes.found(status, handle, in, name);
    } finally {
      held.release();
    }
  }

  @Test
  void knowsNoMoreThanItMay() throws BlockFault {
    inodes.close();
    open(HandleMode.NEVER, 3);
    Inode first = mkdir(inodes.root(), "first");
    Inode second = mkdir(inodes.root(), "second");
    assertThatThrownBy(() -> mkdir(inodes.root(), "third"))
        .asInstanceOf(InstanceOfAssertFactories.throwable(BlockFault.class))
        .extracting(BlockFault::errno)
        .isEqualTo(Errno.ENOMEM);
    assertThat(inodes.count()).isEqualTo(3);
    inodes.forget(first.nodeId, 1);
    assertThat(mkdir(inodes.root(), "fourth").lookups).isEqualTo(1);
    assertThat(inodes.get(second.nodeId)).isSameAs(second);
  }

  @Test
  void theDeepestIsFoundFromTheTop() throws BlockFault {
    Inode at = inodes.root();
    for (int i = 0; i < DEEP; i++) {
      at = mkdir(at, "d");
    }
    inodes.makeRoom(DESCRIPTORS);
    Descriptor held = inodes.hold(at);
    try {
      Kernel.check(PathCalls.statx(held.fd, status));
      assertThat(FileId.of(status)).isEqualTo(at.id);
    } finally {
      held.release();
    }
  }

  /** A directory that others have renamed is found by its handle, with all below it. */
  @Test
  void whatOthersRenameIsFoundByItsHandle() throws Exception {
    inodes.close();
    open(HandleMode.PREFER);
    Assumptions.assumeTrue(inodes.handles.areUsed(), "needs the right to open file handles");
    Inode above = mkdir(inodes.root(), "d");
    Inode below = mkdir(above, "below");
    inodes.makeRoom(DESCRIPTORS);
    Files.move(folder.resolve("d"), folder.resolve("moved"));
    Files.createDirectories(folder.resolve("d/below"));
    for (Inode inode : new Inode[] {below, above}) {
      inodes.status(inode, status);
      assertThat(FileId.of(status)).isEqualTo(inode.id);
    }
    inodes.makeRoom(DESCRIPTORS);
    Files.delete(folder.resolve("moved/below"));
    assertThatThrownBy(() -> inodes.hold(below))
        .isInstanceOfSatisfying(
            BlockFault.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESTALE));
    inodes.hold(above).release();
    Files.delete(folder.resolve("d/below"));
  }

  /** Others may move directories so that what is remembered of them goes in circles. */
  @Test
  void aCircleEnds() throws BlockFault {
    Inode one = mkdir(inodes.root(), "one");
    Inode other = mkdir(inodes.root(), "other");
    inodes.moved(one, other, Name.of("one"));
    inodes.moved(other, one, Name.of("other"));
    for (Inode inode : new Inode[] {one, other}) {
      assertThatThrownBy(() -> inodes.hold(inode))
          .isInstanceOfSatisfying(
              BlockFault.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESTALE));
      assertThat(new Paths(inodes).describe(inode)).isNotEmpty();
    }
  }
}
