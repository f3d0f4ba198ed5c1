package hawser.fs.state;

import hawser.fs.Name;
import hawser.fs.fuse.InitFlag;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Writes a state as Rust's virtiofsd reads it, version 2. Inodes are told by their whole paths;
 * what has no name by its file handle, which only a destination on the same host and with
 * CAP_DAC_READ_SEARCH can open, and only while we still have it open. What virtiofsd has no words
 * for is refused.
 */
final class VirtiofsdWriter implements StateSink {
  private static final int VERSION_2 = 1;
  private static final long ROOT_ID = 1;
  private static final int ROOT_LOOKUPS = 2;
  private static final int DIRECTORY = 0x4000;
  private static final int O_APPEND = 0x400;

  private final OutputStream out;
  private final Postcard.Out inodes = new Postcard.Out();
  private final Postcard.Out files = new Postcard.Out();
  private final Map<Long, Name> paths = new HashMap<>();
  private @Nullable SavedSettings settings;
  private long inodeCount;
  private long fileCount;
  private final Map<Long, Name> mounts = new HashMap<>();
  private final Set<Long> mountsInUse = new TreeSet<>();
  private final List<SavedInode> byHandle = new ArrayList<>();

  VirtiofsdWriter(OutputStream out) {
    this.out = out;
  }

  @Override
  public void settings(SavedSettings given) {
    settings = given;
  }

  @Override
  public void option(SavedOption option) {}

  private boolean agreed(InitFlag flag) {
    return settings != null && flag.in(settings.agreed());
  }

  @Override
  public void inode(SavedInode inode) throws IOException {
    if (settings != null && !settings.mounted()) {
      return;
    }
    switch (inode.location()) {
      case Location.Root _ -> {
        paths.put(ROOT_ID, new Name(new byte[0]));
        mounts.put(inode.identity().mount(), Name.of("."));
        begin(ROOT_ID, ROOT_LOOKUPS).number(0).flag(false);
      }
      case Location.Named(long directory, Name name) -> atPath(inode, paths.get(directory), name);
      case Location.Hidden(Name name) -> atPath(inode, paths.get(ROOT_ID), name);
      case Location.AtPath(Name path) -> atPath(inode, paths.get(ROOT_ID), path);
      case Location.ByHandle _, Location.Embedded _, Location.Lost _ -> byHandle.add(inode);
    }
  }

  private Postcard.Out begin(long nodeId, long lookups) {
    inodeCount++;
    return inodes.number(nodeId).number(lookups);
  }

  private void atPath(SavedInode inode, @Nullable Name directory, Name name) throws IOException {
    if (directory == null) {
      byHandle.add(inode);
      return;
    }
    var path = new ByteArrayOutputStream();
    if (directory.length() > 0) {
      path.writeBytes(directory.bytes());
      path.write('/');
    }
    path.writeBytes(name.bytes());
    var whole = new Name(path.toByteArray());
    paths.put(inode.nodeId(), whole);
    boolean sayable = whole.length() <= Name.PATH_BYTES_MAX && isUtf8(whole);
    if (sayable && inode.type() == DIRECTORY) {
      mounts.putIfAbsent(inode.identity().mount(), whole);
    }
    if (inode.lookups() == 0) {
      return;
    }
    if (sayable) {
      begin(inode.nodeId(), inode.lookups()).number(3).bytes(whole.bytes()).flag(false);
    } else {
      byHandle.add(inode);
    }
  }

  private static boolean isUtf8(Name name) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name.bytes()));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /**
   * A file handle counts on one mount only: on another it would be no file, or a wrong one. Of a
   * mount some directory is told that lies there.
   */
  private void handle(SavedInode inode) {
    if (inode.lookups() == 0) {
      return;
    }
    byte[] handle = inode.fileHandle().bytes();
    long mount = inode.identity().mount();
    if (handle.length <= 4 || !mounts.containsKey(mount)) {
      begin(inode.nodeId(), inode.lookups()).number(2).flag(false);
      return;
    }
    mountsInUse.add(mount);
    int type = 0;
    for (int i = 0; i < 4; i++) {
      type |= (handle[i] & 0xff) << (8 * i);
    }
    begin(inode.nodeId(), inode.lookups())
        .number(4)
        .number(mount)
        .signed(type)
        .bytes(Arrays.copyOfRange(handle, 4, handle.length))
        .flag(false);
  }

  /** Left out: whoever can open the file handle finds the content there. */
  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) {}

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) {}

  @Override
  public void file(SavedFile file) {
    fileCount++;
    // Under write-back the guest knows where the end is, and virtiofsd would append nevertheless.
    int flags = agreed(InitFlag.WRITEBACK_CACHE) ? file.flags() & ~O_APPEND : file.flags();
    files.number(file.handle()).number(file.nodeId()).number(0).signed(flags);
  }

  @Override
  public void lock(SavedLock lock) throws IOException {
    throw new IOException("virtiofsd knows no locks, and the guest holds " + lock);
  }

  @Override
  public void end() throws IOException {
    SavedSettings given = settings;
    if (given == null) {
      throw new IOException("a state without settings");
    }
    byHandle.forEach(this::handle);
    out.write(new Postcard.Out().number(VERSION_2).number(inodeCount).toBytes());
    out.write(inodes.toBytes());
    var rest = new Postcard.Out().number(given.nextNode()).number(fileCount);
    out.write(rest.toBytes());
    out.write(files.toBytes());
    var last =
        new Postcard.Out()
            .number(given.nextHandle())
            .flag(agreed(InitFlag.WRITEBACK_CACHE))
            .flag(agreed(InitFlag.SUBMOUNTS))
            .flag(agreed(InitFlag.POSIX_ACL))
            .flag(agreed(InitFlag.CREATE_SUPP_GROUP));
    last.number(mountsInUse.size());
    mountsInUse.forEach(
        mount -> last.number(mount).bytes(Objects.requireNonNull(mounts.get(mount)).bytes()));
    out.write(last.toBytes());
    out.flush();
  }
}
