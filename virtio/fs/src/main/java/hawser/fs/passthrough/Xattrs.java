package hawser.fs.passthrough;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.Extensions;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import hawser.fs.state.Identity;
import hawser.fs.xattr.XattrMap;
import hawser.fs.xattr.XattrMap.OnHost;
import hawser.sys.PathCalls;
import hawser.sys.XattrCalls;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Set;

/** Extended attributes. */
final class Xattrs {
  private static final int BYTES_MAX = 64 << 10;

  /** Bytes of a name at most (XATTR_NAME_MAX). */
  private static final int NAME_BYTES_MAX = 255;

  private static final Set<Name> ACCESS_LISTS =
      Set.of(Name.of("system.posix_acl_access"), Name.of("system.posix_acl_default"));

  private final Share share;
  private final Inodes inodes;

  Xattrs(Share share) {
    this.share = share;
    this.inodes = share.inodes;
  }

  private Descriptor held(long nodeId) throws BlockFault {
    if (!share.options.xattr()) {
      // The guest's kernel never asks again.
      throw Kernel.no(Errno.ENOSYS);
    }
    return inodes.hold(inodes.get(nodeId));
  }

  /** The host's name for one of the guest's. */
  private Name onHost(Name name) throws BlockFault {
    if (isBlocked(name)) {
      throw Kernel.no(Errno.EOPNOTSUPP);
    }
    XattrMap map = share.options.translation().xattrs();
    return switch (map == null ? new OnHost.Named(name) : map.onHost(name)) {
      case OnHost.Named(Name named) -> {
        if (named.length() > NAME_BYTES_MAX) {
          throw Kernel.no(Errno.ERANGE);
        }
        yield named;
      }
      case OnHost.Refused(Errno errno) -> throw Kernel.no(errno);
    };
  }

  /** As {@link #onHost}; what the guest must not touch does not exist for who reads. */
  private Name readable(Name name) throws BlockFault {
    try {
      return onHost(name);
    } catch (BlockFault e) {
      throw e.errno().number() == Errno.EPERM.number() ? Kernel.no(Errno.ENODATA) : e;
    }
  }

  /** Access lists mean nothing to a guest that has not agreed that the host keeps them. */
  private boolean isBlocked(Name name) {
    return ACCESS_LISTS.contains(name) && !InitFlag.POSIX_ACL.in(share.agreed);
  }

  /**
   * Turns a list of the host's names into the guest's, in its place, for no name becomes longer;
   * answers its length.
   */
  private long visible(MemorySegment names) {
    XattrMap map = share.options.translation().xattrs();
    byte[] all = names.toArray(JAVA_BYTE);
    long length = 0;
    int start = 0;
    for (int end = 0; end < all.length; end++) {
      if (all[end] == 0) {
        var name = new Name(Arrays.copyOfRange(all, start, end));
        Name seen = map == null ? name : map.inGuest(name);
        // Of a name that is no more than the prefix nothing is left.
        if (seen != null && seen.length() > 0 && !isBlocked(seen)) {
          MemorySegment.copy(seen.bytes(), 0, names, JAVA_BYTE, length, seen.length());
          names.set(JAVA_BYTE, length + seen.length(), (byte) 0);
          length += seen.length() + 1L;
        }
        start = end + 1;
      }
    }
    return length;
  }

  FuseReply get(Call call, FuseRequest.Getxattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      MemorySegment room = room(call, request.size());
      byte[] name = readable(request.name()).bytes();
      long size = Kernel.check(XattrCalls.get(path, name, room));
      return answer(room, size);
    } finally {
      held.release();
    }
  }

  private static MemorySegment room(Call call, int size) {
    return call.room().asSlice(0, Math.min(Integer.toUnsignedLong(size), BYTES_MAX));
  }

  private static FuseReply answer(MemorySegment room, long size) {
    return room.byteSize() == 0
        ? new FuseReply.Count((int) size)
        : new FuseReply.Data(room.asSlice(0, size));
  }

  FuseReply list(Call call, FuseRequest.Listxattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      MemorySegment all = call.room().asSlice(0, BYTES_MAX);
      long size = visible(all.asSlice(0, Kernel.check(XattrCalls.list(path, all))));
      MemorySegment room = room(call, request.size());
      if (size > room.byteSize() && request.size() != 0) {
        throw Kernel.no(Errno.ERANGE);
      }
      return answer(room, size);
    } finally {
      held.release();
    }
  }

  FuseReply set(Call call, FuseRequest.Setxattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      share.journal.begun(Identity.UNKNOWN, Identity.UNKNOWN);
      boolean keep = (request.setxattrFlags() & FuseRequest.Setxattr.ACL_KILL_SGID) == 0;
      Name name = onHost(request.name());
      Credentials.Action set = () -> put(held, name, request.value(), request.flags());
      checkOnce(keep ? set.run() : Credentials.withoutSetIds(set), Errno.EEXIST);
      return new FuseReply.Done();
    } finally {
      held.release();
    }
  }

  /** As {@link Kernel#check}, but for what a daemon has done already that died over it. */
  private void checkOnce(long result, Errno done) throws BlockFault {
    if (result != -done.number() || share.journal.earlier() == null) {
      Kernel.check(result);
    }
  }

  private static long put(Descriptor held, Name name, Name value, int flags) {
    byte[] path = PathCalls.ofDescriptor(held.fd);
    return XattrCalls.set(path, name.bytes(), value.bytes(), flags);
  }

  FuseReply remove(Call call, FuseRequest.Removexattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      share.journal.begun(Identity.UNKNOWN, Identity.UNKNOWN);
      byte[] path = PathCalls.ofDescriptor(held.fd);
      checkOnce(XattrCalls.remove(path, onHost(request.name()).bytes()), Errno.ENODATA);
      return new FuseReply.Done();
    } finally {
      held.release();
    }
  }

  /** Gives a new file the security attributes that the guest wants on it. */
  void label(Inode inode, Extensions extensions) throws BlockFault {
    if (extensions.contexts().isEmpty()) {
      return;
    }
    Descriptor held = inodes.hold(inode);
    try {
      for (Extensions.SecurityContext context : extensions.contexts()) {
        Kernel.check(put(held, onHost(context.name()), context.value(), 0));
      }
    } finally {
      held.release();
    }
  }
}
