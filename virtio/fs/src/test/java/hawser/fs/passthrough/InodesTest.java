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
import org.junit.jupiter.api.AfterEach;
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
    byte[] path = folder.toString().getBytes(StandardCharsets.UTF_8);
    int flags = FileCalls.O_PATH | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC;
    int fd = (int) Kernel.check(PathCalls.openat(PathCalls.AT_FDCWD, path, flags, 0));
    Kernel.check(PathCalls.statx(fd, status));
    inodes = new Inodes(new Descriptor(fd), status, DESCRIPTORS, new Journal(null, _ -> {}));
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
      return inodes.found(status, in, name);
    } finally {
      held.release();
    }
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
