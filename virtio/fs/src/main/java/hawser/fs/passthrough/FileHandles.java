package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_CLOEXEC;
import static hawser.sys.FileCalls.O_NOFOLLOW;
import static hawser.sys.FileCalls.O_PATH;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Result;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What leads to a file whatever it is called by now (name_to_handle_at(2)). A handle counts on its
 * file system only, and has the generation of an inode's number, so that it never leads to another
 * file. Opening one takes CAP_DAC_READ_SEARCH. Safe from any thread.
 */
final class FileHandles {
  /** None are used. */
  static final FileHandles OFF = new FileHandles(HandleMode.NEVER);

  private final HandleMode mode;

  private FileHandles(HandleMode mode) {
    this.mode = mode;
  }

  /**
   * As somebody wants them, if the shared folder's own handle can be made and opened.
   *
   * @param folder the shared folder (O_PATH)
   * @param log is told when they are not used after all
   * @throws BlockFault when they must be used, and cannot
   */
  static FileHandles of(HandleMode mode, Descriptor folder, Consumer<String> log)
      throws BlockFault {
    if (mode == HandleMode.NEVER) {
      return OFF;
    }
    byte[] handle = PathCalls.fileHandle(folder.fd, PathCalls.EMPTY);
    long fd = handle == null ? -Errno.EOPNOTSUPP.number() : open(folder.fd, handle);
    if (fd >= 0) {
      FileCalls.close((int) fd);
      return new FileHandles(mode);
    }
    String failed = "Failed to open file handle for the root node";
    if (mode == HandleMode.MANDATORY) {
      Result.orFault(fd, failed);
    }
    log.accept(
        failed + ": " + Result.errno(fd).text() + "; files are opened again by their names only");
    return OFF;
  }

  /**
   * The handle of what a name leads to, links not followed; null where there is none, or none is
   * wanted.
   *
   * @param name {@link PathCalls#EMPTY} for what the descriptor stands for
   * @throws BlockFault EOPNOTSUPP when there must be one
   */
  byte @Nullable [] of(int directory, byte[] name) throws BlockFault {
    if (mode == HandleMode.NEVER) {
      return null;
    }
    byte[] handle = PathCalls.fileHandle(directory, name);
    if (handle == null && mode == HandleMode.MANDATORY) {
      throw Kernel.no(Errno.EOPNOTSUPP);
    }
    return handle;
  }

  /** Whether handles that others have made are of use here. */
  boolean areUsed() {
    return mode != HandleMode.NEVER;
  }

  /**
   * Opens (O_PATH) what a handle leads to; a descriptor, or a negated error number.
   *
   * @param top stands for a directory or regular file on the same mount
   */
  static long open(int top, byte[] handle) {
    // The kernel takes no descriptor of O_PATH as the mount.
    byte[] path = PathCalls.ofDescriptor(top);
    long mount = PathCalls.openat(PathCalls.AT_FDCWD, path, FileCalls.O_RDONLY | O_CLOEXEC, 0);
    if (mount < 0) {
      return mount;
    }
    long fd = PathCalls.openByHandle((int) mount, handle, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    FileCalls.close((int) mount);
    return fd;
  }
}
