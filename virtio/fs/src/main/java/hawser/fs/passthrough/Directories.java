package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_DIRECTORY;
import static hawser.sys.FileCalls.O_RDONLY;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.DirectoryWriter;
import hawser.fs.fuse.Entry;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.OpenOut;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import org.jspecify.annotations.Nullable;

/** Operations on open directories. */
final class Directories {
  private final Share share;
  private final Inodes inodes;

  Directories(Share share) {
    this.share = share;
    this.inodes = share.inodes;
  }

  FuseReply open(Call call, FuseRequest.Opendir request) throws BlockFault {
    Inode inode = inodes.get(call.header().nodeId());
    if (inode.type != Statx.DIRECTORY) {
      throw Kernel.no(Errno.ENOTDIR);
    }
    int fd = inodes.openAgain(inode, O_RDONLY | O_DIRECTORY);
    OpenFile file = share.opened(inode, request.flags(), fd);
    return new FuseReply.Opened(new OpenOut(file.handle(), share.options.cache().directoryFlags));
  }

  FuseReply read(Call call, FuseRequest.Readdir request) throws BlockFault {
    OpenFile file = share.file(request.handle());
    if (file.inode().type != Statx.DIRECTORY) {
      throw Kernel.no(Errno.ENOTDIR);
    }
    if (!file.descriptor().hold()) {
      throw Kernel.no(Errno.EBADF);
    }
    try {
      long size = Math.min(Integer.toUnsignedLong(request.size()), call.room().byteSize());
      var writer = new DirectoryWriter(call.room().asSlice(0, size), request.plus());
      synchronized (file.listing()) {
        list(file, request, writer);
      }
      return new FuseReply.Data(writer.written());
    } finally {
      file.descriptor().release();
    }
  }

  private void list(OpenFile file, FuseRequest.Readdir request, DirectoryWriter writer)
      throws BlockFault {
    int fd = file.descriptor().fd;
    Listing listing = file.listing();
    listing.seek(fd, request.offset());
    boolean some = false;
    for (Listing.Item item = listing.peek(fd); item != null; item = listing.peek(fd)) {
      if (!writer.fits(item.name().length())) {
        if (!some) {
          throw Kernel.no(Errno.EINVAL);
        }
        return;
      }
      some = true;
      Entry entry = request.plus() ? entry(file, item) : null;
      writer.add(item.inode(), item.next(), item.type(), item.name(), entry);
      listing.advance(item);
    }
  }

  /** What a name leads to; null for dots, and for what has gone meanwhile. */
  private @Nullable Entry entry(OpenFile file, Listing.Item item) throws BlockFault {
    if (item.name().isDots()) {
      return null;
    }
    Statx status = Share.room();
    int flags = PathCalls.AT_SYMLINK_NOFOLLOW;
    byte[] name = item.name().bytes();
    if (PathCalls.statx(file.descriptor().fd, name, flags, status) < 0) {
      return null;
    }
    byte[] handle = inodes.handles.of(file.descriptor().fd, name);
    return share.entry(inodes.found(status, handle, file.inode(), item.name()), status);
  }

  FuseReply release(FuseRequest.Releasedir request) throws BlockFault {
    if (!share.hasClosed()) {
      share.close(request.handle());
    }
    return new FuseReply.Done();
  }
}
