package hawser.fs.passthrough;

import static hawser.sys.PathCalls.AT_EMPTY_PATH;
import static hawser.sys.PathCalls.AT_FDCWD;
import static hawser.sys.PathCalls.AT_REMOVEDIR;
import static hawser.sys.PathCalls.AT_SYMLINK_FOLLOW;
import static hawser.sys.PathCalls.AT_SYMLINK_NOFOLLOW;
import static hawser.sys.PathCalls.EMPTY;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.Entry;
import hawser.fs.fuse.Extensions;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.RequestHeader;
import hawser.fs.journal.Attempt;
import hawser.fs.state.Identity;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Operations on names in directories. A name is looked up in the directory that the guest means, by
 * itself and without following links: what lies outside the share cannot be named.
 */
final class Names {
  /** {@link FuseRequest.Rename}: both names change places (RENAME_EXCHANGE). */
  private static final int EXCHANGE = 2;

  /** {@link FuseRequest.Rename}: leaves a whiteout behind (RENAME_WHITEOUT), for overlays. */
  private static final int FLAGS_KNOWN = 1 | EXCHANGE | 4;

  private final Share share;
  private final Inodes inodes;
  private final Xattrs xattrs;

  Names(Share share, Xattrs xattrs) {
    this.share = share;
    this.inodes = share.inodes;
    this.xattrs = xattrs;
  }

  private static byte[] component(Name name) throws BlockFault {
    if (!name.isComponent()) {
      throw Kernel.no(Errno.EINVAL);
    }
    return name.bytes();
  }

  FuseReply lookup(Call call, FuseRequest.Lookup request) throws BlockFault {
    Inode directory = inodes.get(call.header().nodeId());
    Name name = request.name();
    if (name.isDots()) {
      return new FuseReply.Found(dots(directory, name));
    }
    component(name);
    Descriptor held = inodes.hold(directory);
    try {
      return new FuseReply.Found(find(held, directory, name));
    } finally {
      held.release();
    }
  }

  /** The directory itself or the one above, for a guest that exports the share to others. */
  private Entry dots(Inode directory, Name name) throws BlockFault {
    Inode wanted = name.length() == 1 ? directory : directory.directory;
    if (wanted == null) {
      wanted = inodes.root();
    }
    Statx status = Share.room();
    inodes.status(wanted, status);
    if (wanted == inodes.root()) {
      return share.entry(wanted, status);
    }
    Inode above = wanted.directory;
    Name called = wanted.name;
    if (above == null || called == null) {
      throw Kernel.no(Errno.ESTALE);
    }
    return share.entry(inodes.found(status, null, above, called), status);
  }

  /** Tells the guest of what a name leads to. */
  private Entry find(Descriptor held, Inode directory, Name name) throws BlockFault {
    Statx status = Share.room();
    Kernel.check(PathCalls.statx(held.fd, name.bytes(), AT_SYMLINK_NOFOLLOW, status));
    byte[] handle = inodes.handles.of(held.fd, name.bytes());
    return share.entry(inodes.found(status, handle, directory, name), status);
  }

  FuseReply mkdir(Call call, FuseRequest.Mkdir request) throws BlockFault {
    byte[] name = component(request.name());
    return make(
        call,
        request.name(),
        request.extensions(),
        request.umask(),
        directory -> PathCalls.mkdirat(directory, name, request.mode() & ~Statx.TYPE));
  }

  FuseReply mknod(Call call, FuseRequest.Mknod request) throws BlockFault {
    byte[] name = component(request.name());
    return make(
        call,
        request.name(),
        request.extensions(),
        request.umask(),
        directory ->
            PathCalls.mknodat(
                directory, name, request.mode(), Integer.toUnsignedLong(request.device())));
  }

  FuseReply symlink(Call call, FuseRequest.Symlink request) throws BlockFault {
    byte[] name = component(request.name());
    return make(
        call,
        request.name(),
        request.extensions(),
        0,
        directory -> PathCalls.symlinkat(request.target().bytes(), directory, name));
  }

  /** What makes something in a directory. */
  private interface Maker {
    long make(int directory);
  }

  private FuseReply make(Call call, Name name, Extensions extensions, int umask, Maker maker)
      throws BlockFault {
    Inode directory = inodes.get(call.header().nodeId());
    Descriptor held = inodes.hold(directory);
    try {
      if (!share.hasMade(held, name)) {
        Kernel.check(
            share.as(
                call.header(),
                extensions.group(),
                () -> share.masked(umask, () -> maker.make(held.fd))));
      }
      Entry entry = find(held, directory, name);
      xattrs.label(inodes.get(entry.nodeId()), extensions);
      return new FuseReply.Found(entry);
    } finally {
      held.release();
    }
  }

  FuseReply link(Call call, FuseRequest.Link request) throws BlockFault {
    byte[] name = component(request.name());
    Inode inode = inodes.get(request.nodeId());
    Inode directory = inodes.get(call.header().nodeId());
    Descriptor held = inodes.hold(directory);
    try {
      if (!share.hasMade(held, request.name())) {
        link(inode, held, name);
      }
      return new FuseReply.Found(find(held, directory, request.name()));
    } finally {
      held.release();
    }
  }

  private void link(Inode inode, Descriptor directory, byte[] name) throws BlockFault {
    Descriptor file = inodes.hold(inode);
    try {
      long result = PathCalls.linkat(file.fd, EMPTY, directory.fd, name, AT_EMPTY_PATH);
      if (result < 0) {
        // Without CAP_DAC_READ_SEARCH only the way through /proc is open.
        byte[] path = PathCalls.ofDescriptor(file.fd);
        result = PathCalls.linkat(AT_FDCWD, path, directory.fd, name, AT_SYMLINK_FOLLOW);
      }
      Kernel.check(result);
    } finally {
      file.release();
    }
  }

  FuseReply unlink(RequestHeader who, Name name, boolean isDirectory) throws BlockFault {
    byte[] bytes = component(name);
    Inode directory = inodes.get(who.nodeId());
    Descriptor held = inodes.hold(directory);
    try (Losing losing = losing(held, directory, name, Identity.UNKNOWN)) {
      if (!losing.isGone()) {
        Kernel.check(PathCalls.unlinkat(held.fd, bytes, isDirectory ? AT_REMOVEDIR : 0));
      }
      losing.lost();
    } finally {
      held.release();
    }
    return new FuseReply.Done();
  }

  FuseReply rename(RequestHeader who, FuseRequest.Rename request) throws BlockFault {
    byte[] from = component(request.from());
    byte[] to = component(request.to());
    if ((request.flags() & ~FLAGS_KNOWN) != 0) {
      throw Kernel.no(Errno.EINVAL);
    }
    Inode source = inodes.get(who.nodeId());
    Inode target = inodes.get(request.toDirectory());
    Descriptor heldSource = inodes.hold(source);
    try {
      Descriptor heldTarget = inodes.hold(target);
      Identity moving =
          share.journal.isOn() ? Share.leadsTo(heldSource, request.from()) : Identity.UNKNOWN;
      try (Losing losing = losing(heldTarget, target, request.to(), moving)) {
        if (!losing.isReplaced()) {
          Kernel.check(
              PathCalls.renameat2(heldSource.fd, from, heldTarget.fd, to, request.flags()));
        }
        if ((request.flags() & EXCHANGE) != 0) {
          arrived(heldSource, source, request.from());
        } else {
          losing.lost();
        }
        arrived(heldTarget, target, request.to());
      } finally {
        heldTarget.release();
      }
    } finally {
      heldSource.release();
    }
    return new FuseReply.Done();
  }

  /** Remembers that a file that the guest may know is found here now. */
  private void arrived(Descriptor held, Inode directory, Name name) {
    Statx status = Share.room();
    if (PathCalls.statx(held.fd, name.bytes(), AT_SYMLINK_NOFOLLOW, status) == 0) {
      Inode inode = inodes.known(FileId.of(status));
      if (inode != null) {
        inodes.moved(inode, directory, name);
      }
    }
  }

  /**
   * A file that is about to lose its name, while the guest may go on knowing it.
   *
   * @param now what the name leads to
   * @param earlier what a daemon had done that died over this request; null at the first try
   */
  private record Losing(
      Inodes inodes,
      @Nullable Inode inode,
      @Nullable Descriptor held,
      Inode directory,
      Name name,
      Identity now,
      @Nullable Attempt earlier)
      implements AutoCloseable {
    /** Whether it has lost the name already. */
    boolean isGone() {
      return earlier != null && earlier.first() != null && !now.equals(earlier.first());
    }

    /** Whether the file that is to have the name has it already. */
    boolean isReplaced() {
      return earlier != null
          && !Identity.UNKNOWN.equals(earlier.second())
          && now.equals(earlier.second());
    }

    void lost() {
      if (inode != null && held != null) {
        inodes.unnamed(inode, directory, name, held);
      }
    }

    @Override
    public void close() {
      if (held != null) {
        held.release();
      }
    }
  }

  /**
   * Opens what would be out of reach once its name is gone.
   *
   * @param moving what is to have the name instead
   */
  private Losing losing(Descriptor in, Inode directory, Name name, Identity moving) {
    Identity now = Share.leadsTo(in, name);
    Attempt earlier = share.journal.earlier();
    Identity before = earlier == null ? null : earlier.first();
    Identity victim = before == null ? now : before;
    Inode inode = victim.equals(Identity.UNKNOWN) ? null : inodes.known(FileId.of(victim));
    Descriptor held = null;
    if (inode != null) {
      try {
        held = inodes.holdApart(inode);
        share.journal.kept(inode, held);
      } catch (BlockFault e) {
        // It is gone already: there is nothing to keep.
        inode = null;
      }
    }
    share.journal.begun(now, moving);
    return new Losing(inodes, inode, held, directory, name, now, earlier);
  }

  FuseReply readlink(Call call) throws BlockFault {
    Inode inode = inodes.get(call.header().nodeId());
    Descriptor held = inodes.hold(inode);
    try {
      MemorySegment room = call.room().asSlice(0, Name.PATH_BYTES_MAX + 1L);
      long length = Kernel.check(PathCalls.readlinkat(held.fd, EMPTY, room));
      return new FuseReply.Data(room.asSlice(0, length));
    } finally {
      held.release();
    }
  }
}
