package hawser.fs.fuse;

import hawser.base.PeerFault;
import hawser.fs.Name;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Reads what follows a request's header. Whatever does not fit is a {@link PeerFault}. */
public final class RequestReader {
  /** Bytes of an extended attribute's value at most (XATTR_SIZE_MAX). */
  public static final int XATTR_BYTES_MAX = 64 << 10;

  /** Security attributes of one request at most (FUSE_MAX_NR_SECCTX). */
  private static final int SECURITY_CONTEXTS_MAX = 31;

  private static final int EXTENSION_GROUPS = 32;
  private static final int EXTENSION_HEADER_BYTES = 8;
  private static final int FORGET_ONE_BYTES = 16;
  private static final int FSYNC_FDATASYNC = 1;

  private final long agreed;

  /** For the flags that INIT agreed to: some structures are longer with some of them. */
  public RequestReader(long agreed) {
    this.agreed = agreed;
  }

  /**
   * The request; READ and WRITE have {@link TransferIn} instead.
   *
   * @param in all that follows the header, extensions included
   */
  public FuseRequest request(RequestHeader header, MemorySegment in) {
    Opcode opcode = Opcode.of(header.opcode());
    if (opcode == null) {
      return new FuseRequest.Unsupported(null);
    }
    var arguments = new Arguments(in);
    return switch (opcode) {
      case SYMLINK, MKNOD, MKDIR, CREATE, TMPFILE -> making(opcode, arguments);
      case GETATTR, SETATTR, STATX, ACCESS, STATFS -> attributes(opcode, arguments);
      case SETXATTR, GETXATTR, LISTXATTR, REMOVEXATTR -> extended(opcode, arguments);
      case GETLK, SETLK, SETLKW -> lock(opcode, arguments);
      case LOOKUP, READLINK, UNLINK, RMDIR, RENAME, RENAME2, LINK -> naming(opcode, arguments);
      case OPENDIR, READDIR, READDIRPLUS, RELEASEDIR, FSYNCDIR -> directory(opcode, arguments);
      case OPEN, RELEASE, FLUSH, FSYNC, FALLOCATE, LSEEK, COPY_FILE_RANGE, IOCTL ->
          file(opcode, arguments);
      case FORGET, BATCH_FORGET, INIT, DESTROY, INTERRUPT, SYNCFS -> session(opcode, arguments);
      case BMAP, POLL, NOTIFY_REPLY, SETUPMAPPING, REMOVEMAPPING ->
          new FuseRequest.Unsupported(opcode);
      case READ, WRITE -> throw notHere(opcode);
    };
  }

  private static AssertionError notHere(Opcode opcode) {
    return new AssertionError(opcode);
  }

  private FuseRequest making(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case SYMLINK -> {
        Name name = path(in);
        yield new FuseRequest.Symlink(name, path(in), extensions(in));
      }
      case MKNOD -> {
        int mode = in.u32();
        int device = in.u32();
        int umask = in.u32();
        in.skip(4);
        yield new FuseRequest.Mknod(path(in), mode, device, umask, extensions(in));
      }
      case MKDIR -> {
        int mode = in.u32();
        int umask = in.u32();
        yield new FuseRequest.Mkdir(path(in), mode, umask, extensions(in));
      }
      case CREATE -> {
        int flags = in.u32();
        int mode = in.u32();
        int umask = in.u32();
        int open = in.u32();
        Name name = path(in);
        yield new FuseRequest.Create(name, flags, mode, umask, open, extensions(in));
      }
      case TMPFILE -> {
        int flags = in.u32();
        int mode = in.u32();
        int umask = in.u32();
        int open = in.u32();
        // The kernel sends a name that means nothing.
        path(in);
        yield new FuseRequest.Tmpfile(flags, mode, umask, open, extensions(in));
      }
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest attributes(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case GETATTR -> {
        int flags = in.u32();
        in.skip(4);
        yield new FuseRequest.Getattr(flags, in.u64());
      }
      case STATX -> {
        int flags = in.u32();
        in.skip(4);
        yield new FuseRequest.Statx(flags, in.u64(), in.u32(), in.u32());
      }
      case SETATTR -> setattr(in);
      case ACCESS -> new FuseRequest.Access(in.u32());
      case STATFS -> new FuseRequest.Statfs();
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest setattr(Arguments in) {
    int valid = in.u32();
    in.skip(4);
    long handle = in.u64();
    long size = in.u64();
    long owner = in.u64();
    long atime = in.u64();
    long mtime = in.u64();
    long ctime = in.u64();
    var accessed = new Time(atime, in.u32());
    var modified = new Time(mtime, in.u32());
    var changed = new Time(ctime, in.u32());
    int mode = in.u32();
    in.skip(4);
    return new FuseRequest.Setattr(
        valid, handle, size, owner, accessed, modified, changed, mode, in.u32(), in.u32());
  }

  private FuseRequest extended(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case SETXATTR -> {
        int size = in.u32();
        int flags = in.u32();
        int more = 0;
        if (InitFlag.SETXATTR_EXT.in(agreed)) {
          more = in.u32();
          in.skip(4);
        }
        Name name = path(in);
        if (size < 0 || size > XATTR_BYTES_MAX) {
          throw new PeerFault(
              "FUSE SETXATTR: a value of %s bytes: at most %d"
                  .formatted(Integer.toUnsignedString(size), XATTR_BYTES_MAX));
        }
        yield new FuseRequest.Setxattr(name, in.name(size), flags, more);
      }
      case GETXATTR -> {
        int size = in.u32();
        in.skip(4);
        yield new FuseRequest.Getxattr(path(in), size);
      }
      case LISTXATTR -> new FuseRequest.Listxattr(in.u32());
      case REMOVEXATTR -> new FuseRequest.Removexattr(path(in));
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest lock(Opcode opcode, Arguments in) {
    long handle = in.u64();
    long owner = in.u64();
    var lock = new FileLock(in.u64(), in.u64(), in.u32(), in.u32());
    int flags = in.u32();
    return opcode == Opcode.GETLK
        ? new FuseRequest.Getlk(handle, owner, lock, flags)
        : new FuseRequest.Setlk(handle, owner, lock, flags, opcode == Opcode.SETLKW);
  }

  private static FuseRequest naming(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case LOOKUP -> new FuseRequest.Lookup(path(in));
      case READLINK -> new FuseRequest.Readlink();
      case UNLINK -> new FuseRequest.Unlink(path(in));
      case RMDIR -> new FuseRequest.Rmdir(path(in));
      case RENAME -> {
        long directory = in.u64();
        yield new FuseRequest.Rename(path(in), directory, path(in), 0);
      }
      case RENAME2 -> {
        long directory = in.u64();
        int flags = in.u32();
        in.skip(4);
        yield new FuseRequest.Rename(path(in), directory, path(in), flags);
      }
      case LINK -> {
        long node = in.u64();
        yield new FuseRequest.Link(node, path(in));
      }
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest directory(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case OPENDIR -> new FuseRequest.Opendir(in.u32());
      case READDIR, READDIRPLUS ->
          new FuseRequest.Readdir(in.u64(), in.u64(), in.u32(), opcode == Opcode.READDIRPLUS);
      case RELEASEDIR -> new FuseRequest.Releasedir(in.u64());
      case FSYNCDIR -> new FuseRequest.Fsyncdir(in.u64(), (in.u32() & FSYNC_FDATASYNC) != 0);
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest file(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case OPEN -> new FuseRequest.Open(in.u32(), in.u32());
      case RELEASE -> new FuseRequest.Release(in.u64(), in.u32(), in.u32(), in.u64());
      case FLUSH -> {
        long handle = in.u64();
        in.skip(8);
        yield new FuseRequest.Flush(handle, in.u64());
      }
      case FSYNC -> new FuseRequest.Fsync(in.u64(), (in.u32() & FSYNC_FDATASYNC) != 0);
      case FALLOCATE -> new FuseRequest.Fallocate(in.u64(), in.u64(), in.u64(), in.u32());
      case LSEEK -> new FuseRequest.Lseek(in.u64(), in.u64(), in.u32());
      case COPY_FILE_RANGE ->
          new FuseRequest.CopyFileRange(
              in.u64(), in.u64(), in.u64(), in.u64(), in.u64(), in.u64(), in.u64());
      case IOCTL -> {
        long handle = in.u64();
        int flags = in.u32();
        int command = in.u32();
        long argument = in.u64();
        int inputBytes = in.u32();
        int outputBytes = in.u32();
        Name input = in.name(Integer.toUnsignedLong(inputBytes));
        yield new FuseRequest.Ioctl(handle, flags, command, argument, input, outputBytes);
      }
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest session(Opcode opcode, Arguments in) {
    return switch (opcode) {
      case FORGET -> new FuseRequest.Forget(in.u64());
      case BATCH_FORGET -> batchForget(in);
      case INIT -> {
        int major = in.u32();
        int minor = in.u32();
        int readahead = in.u32();
        long flags = Integer.toUnsignedLong(in.u32());
        if (InitFlag.INIT_EXT.in(flags) && in.left() >= 4) {
          flags |= Integer.toUnsignedLong(in.u32()) << 32;
        }
        yield new FuseRequest.Init(major, minor, readahead, flags);
      }
      case DESTROY -> new FuseRequest.Destroy();
      case INTERRUPT -> new FuseRequest.Interrupt(in.u64());
      case SYNCFS -> new FuseRequest.Syncfs();
      default -> throw notHere(opcode);
    };
  }

  private static FuseRequest batchForget(Arguments in) {
    long count = Integer.toUnsignedLong(in.u32());
    in.skip(4);
    if (count * FORGET_ONE_BYTES > in.left()) {
      throw new PeerFault("FUSE BATCH_FORGET: %d inodes in %d bytes".formatted(count, in.left()));
    }
    var nodes = new ArrayList<FuseRequest.BatchForget.One>((int) count);
    for (long i = 0; i < count; i++) {
      nodes.add(new FuseRequest.BatchForget.One(in.u64(), in.u64()));
    }
    return new FuseRequest.BatchForget(nodes);
  }

  private static Name path(Arguments in) {
    return in.string(Name.PATH_BYTES_MAX);
  }

  /** Until 7.38 only security attributes followed, and in the same form as since then. */
  private Extensions extensions(Arguments in) {
    if (!InitFlag.SECURITY_CTX.in(agreed) && !InitFlag.CREATE_SUPP_GROUP.in(agreed)) {
      return Extensions.NONE;
    }
    var contexts = new ArrayList<Extensions.SecurityContext>();
    OptionalInt group = OptionalInt.empty();
    while (in.left() > 0) {
      long size = Integer.toUnsignedLong(in.u32());
      int type = in.u32();
      if (size < EXTENSION_HEADER_BYTES) {
        throw new PeerFault("FUSE extension: a size of %d, at least 8".formatted(size));
      }
      Arguments extension = in.part(size - EXTENSION_HEADER_BYTES);
      if (type == EXTENSION_GROUPS) {
        group = OptionalInt.of(supplementaryGroup(extension));
      } else {
        addSecurityContexts(type, extension, contexts);
      }
    }
    return new Extensions(contexts, group);
  }

  private static void addSecurityContexts(
      int count, Arguments in, List<Extensions.SecurityContext> to) {
    if (count < 0 || count > SECURITY_CONTEXTS_MAX) {
      throw new PeerFault(
          "FUSE extension: type %s is not known".formatted(Integer.toUnsignedString(count)));
    }
    for (int i = 0; i < count; i++) {
      long bytes = Integer.toUnsignedLong(in.u32());
      in.skip(4);
      Name name = path(in);
      to.add(new Extensions.SecurityContext(name, in.name(bytes)));
      in.align();
    }
  }

  private static int supplementaryGroup(Arguments in) {
    int count = in.u32();
    if (count != 1) {
      throw new PeerFault(
          "FUSE supplementary groups: %s, not 1".formatted(Integer.toUnsignedString(count)));
    }
    return in.u32();
  }
}
