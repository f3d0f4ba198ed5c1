package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.Extensions;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.sys.PathCalls;
import hawser.sys.XattrCalls;
import java.lang.foreign.MemorySegment;

/** Extended attributes. */
final class Xattrs {
  private static final int BYTES_MAX = 64 << 10;

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

  FuseReply get(Call call, FuseRequest.Getxattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      MemorySegment room = room(call, request.size());
      long size = Kernel.check(XattrCalls.get(path, request.name().bytes(), room));
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
      MemorySegment room = room(call, request.size());
      long size = Kernel.check(XattrCalls.list(PathCalls.ofDescriptor(held.fd), room));
      return answer(room, size);
    } finally {
      held.release();
    }
  }

  FuseReply set(Call call, FuseRequest.Setxattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      boolean keep = (request.setxattrFlags() & FuseRequest.Setxattr.ACL_KILL_SGID) == 0;
      Credentials.Action set = () -> put(held, request.name(), request.value(), request.flags());
      Kernel.check(keep ? set.run() : Credentials.withoutSetIds(set));
      return new FuseReply.Done();
    } finally {
      held.release();
    }
  }

  private static long put(Descriptor held, Name name, Name value, int flags) {
    byte[] path = PathCalls.ofDescriptor(held.fd);
    return XattrCalls.set(path, name.bytes(), value.bytes(), flags);
  }

  FuseReply remove(Call call, FuseRequest.Removexattr request) throws BlockFault {
    Descriptor held = held(call.header().nodeId());
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      Kernel.check(XattrCalls.remove(path, request.name().bytes()));
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
        Kernel.check(put(held, context.name(), context.value(), 0));
      }
    } finally {
      held.release();
    }
  }
}
