package hawser.fs.state;

import hawser.fs.Name;
import hawser.fs.fuse.InitFlag;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the state of Rust's virtiofsd, versions 1 and 2 (its {@code device_state/serialized.rs}):
 * inodes, the next inode's number, open files, the next one's number, four options; version 2 adds
 * the paths of mounts. It has no checksum, so that only what makes no sense is noticed.
 */
final class VirtiofsdReader {
  /** Bytes of a whole state at most. */
  private static final int BYTES_MAX = 256 << 20;

  /** Inodes, and open files, at most: virtiofsd has a descriptor for each, of a million. */
  private static final int COUNT_MAX = 1 << 20;

  private static final int VERSION_1 = 0;
  private static final int VERSION_2 = 1;
  private static final int FILE_HANDLE_BYTES_MAX = 128;

  private final Postcard in;
  private final StateSink sink;
  private final Map<Long, Found> inodes = new HashMap<>();
  private final List<SavedFile> files = new ArrayList<>();
  private final Map<Long, Name> mounts = new HashMap<>();
  private final Set<Long> told = new HashSet<>();
  private final Set<Long> open = new HashSet<>();

  private VirtiofsdReader(byte[] bytes, StateSink sink) {
    this.in = new Postcard(bytes);
    this.sink = sink;
  }

  /** An inode as it stands there; a child counts as one of its directory's lookups. */
  private static final class Found {
    final long nodeId;
    final Place place;
    final Name fileHandle;
    long lookups;

    Found(long nodeId, long lookups, Place place, Name fileHandle) {
      this.nodeId = nodeId;
      this.lookups = lookups;
      this.place = place;
      this.fileHandle = fileHandle;
    }
  }

  private sealed interface Place {
    record Root() implements Place {}

    record Child(long directory, Name name) implements Place {}

    record Invalid() implements Place {}

    record FullPath(Name path) implements Place {}

    record ByHandle(long mount, Name handle) implements Place {}
  }

  static void read(InputStream from, StateSink sink) throws IOException {
    byte[] bytes = from.readNBytes(BYTES_MAX + 1);
    if (bytes.length > BYTES_MAX) {
      throw new IOException("the state has more than %d bytes".formatted(BYTES_MAX));
    }
    new VirtiofsdReader(bytes, sink).run();
  }

  private void run() throws IOException {
    long version = in.number("version");
    if (version != VERSION_1 && version != VERSION_2) {
      throw new IOException(
          "the state is neither Hawser's nor virtiofsd's version 1 or 2: it begins with %d"
              .formatted(version));
    }
    long count = in.count("inodes", COUNT_MAX);
    for (long i = 0; i < count; i++) {
      Found inode = inode();
      if (inodes.put(inode.nodeId, inode) != null) {
        throw new IOException("inode %d comes twice".formatted(inode.nodeId));
      }
    }
    long nextNode = in.number("next inode");
    files();
    long nextHandle = in.number("next file");
    long agreed = agreed();
    if (version == VERSION_2) {
      mounts();
    }
    in.end();
    countChildren();
    sink.settings(new SavedSettings(!inodes.isEmpty(), agreed, Math.max(nextNode, 2), nextHandle));
    for (Found inode : inodes.values()) {
      tell(inode);
    }
    for (SavedFile file : files) {
      sink.file(file);
    }
    sink.end();
  }

  private Found inode() throws IOException {
    long nodeId = in.number("inode");
    long lookups = in.number("lookups");
    Place place = place();
    Name handle = in.flag("a file handle") ? handleOf(in.number("mount")) : new Name(new byte[0]);
    return new Found(nodeId, lookups, place, handle);
  }

  private Place place() throws IOException {
    long kind = in.number("location");
    return switch (kind < 0 || kind > 4 ? -1 : (int) kind) {
      case 0 -> new Place.Root();
      case 1 -> new Place.Child(in.number("directory"), in.bytes("name", Name.PATH_BYTES_MAX));
      case 2 -> new Place.Invalid();
      case 3 -> new Place.FullPath(in.bytes("path", Name.PATH_BYTES_MAX));
      case 4 -> {
        long mount = in.number("mount");
        yield new Place.ByHandle(mount, handleOf(mount));
      }
      default ->
          throw new IOException(
              "an inode's location is %s, not 0 to 4".formatted(Long.toUnsignedString(kind)));
    };
  }

  /** The rest of a file handle: type and bytes, as {@link SavedInode#fileHandle} has them. */
  private Name handleOf(long mount) throws IOException {
    if (mount < 0) {
      throw new IOException("a file handle's mount is " + Long.toUnsignedString(mount));
    }
    int type = in.signed("handle type");
    byte[] bytes = in.bytes("handle", FILE_HANDLE_BYTES_MAX).bytes();
    byte[] whole = new byte[4 + bytes.length];
    for (int i = 0; i < 4; i++) {
      whole[i] = (byte) (type >>> (8 * i));
    }
    System.arraycopy(bytes, 0, whole, 4, bytes.length);
    return new Name(whole);
  }

  private void files() throws IOException {
    long count = in.count("files", COUNT_MAX);
    for (long i = 0; i < count; i++) {
      long handle = in.number("file");
      long nodeId = in.number("inode");
      long source = in.number("how a file was opened");
      if (source != 0) {
        throw new IOException("file %d was opened in the unknown way %d".formatted(handle, source));
      }
      files.add(new SavedFile(handle, nodeId, in.signed("flags")));
      open.add(nodeId);
    }
  }

  /** Of what was agreed it tells four things; its own requests to a kernel tell the rest. */
  private long agreed() throws IOException {
    long agreed = 0;
    if (in.flag("writeback")) {
      agreed |= InitFlag.WRITEBACK_CACHE.mask;
    }
    if (in.flag("announce_submounts")) {
      agreed |= InitFlag.SUBMOUNTS.mask;
    }
    if (in.flag("posix_acl")) {
      agreed |= InitFlag.mask(InitFlag.POSIX_ACL, InitFlag.DONT_MASK, InitFlag.SETXATTR_EXT);
    }
    if (in.flag("sup_group_extension")) {
      agreed |= InitFlag.CREATE_SUPP_GROUP.mask;
    }
    return agreed;
  }

  private void mounts() throws IOException {
    long count = in.count("mounts", COUNT_MAX);
    for (long i = 0; i < count; i++) {
      long mount = in.number("mount");
      mounts.put(mount, in.bytes("path", Name.PATH_BYTES_MAX));
    }
  }

  private void countChildren() throws IOException {
    for (Found inode : inodes.values()) {
      if (inode.place instanceof Place.Child(long directory, Name _)) {
        Found above = inodes.get(directory);
        if (above == null) {
          throw new IOException(
              "inode %d lies in %d, which is not there".formatted(inode.nodeId, directory));
        }
        above.lookups--;
      }
    }
  }

  private void tell(Found inode) throws IOException {
    Deque<Found> above = new ArrayDeque<>();
    for (Found at = inode; at != null && !told.contains(at.nodeId); at = directoryOf(at)) {
      above.push(at);
      if (above.size() > inodes.size()) {
        throw new IOException("inode %d lies in itself".formatted(inode.nodeId));
      }
    }
    for (Found next : above) {
      told.add(next.nodeId);
      boolean needed = open.contains(next.nodeId);
      sink.inode(
          new SavedInode(
              next.nodeId,
              Math.max(0, next.lookups),
              0,
              Identity.UNKNOWN,
              0,
              needed,
              next.fileHandle,
              location(next)));
    }
  }

  private @org.jspecify.annotations.Nullable Found directoryOf(Found inode) {
    return inode.place instanceof Place.Child(long directory, Name _)
        ? inodes.get(directory)
        : null;
  }

  private Location location(Found inode) throws IOException {
    return switch (inode.place) {
      case Place.Root _ -> new Location.Root();
      case Place.Child(long directory, Name name) -> new Location.Named(directory, name);
      case Place.Invalid _ -> new Location.Lost();
      case Place.FullPath(Name path) -> new Location.AtPath(path);
      case Place.ByHandle(long mount, Name handle) -> {
        Name path = mounts.get(mount);
        if (path == null) {
          throw new IOException(
              "inode %d lies on mount %d, whose path is not told".formatted(inode.nodeId, mount));
        }
        yield new Location.ByHandle(path, handle);
      }
    };
  }
}
