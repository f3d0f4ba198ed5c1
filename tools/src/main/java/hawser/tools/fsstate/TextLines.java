package hawser.tools.fsstate;

import hawser.fs.fuse.InitFlag;
import hawser.fs.state.Location;
import hawser.fs.state.SavedAttribute;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedOption;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A state as lines for people. */
final class TextLines implements StateSink {
  private final Consumer<String> out;
  private final StateForms form;
  private long inodes;
  private long files;
  private long locks;
  private long contentBytes;

  /**
   * Prints lines.
   *
   * @param form what the state is written as
   */
  TextLines(Consumer<String> out, StateForms form) {
    this.out = out;
    this.form = form;
  }

  /** Flags by their names. */
  static String flags(long agreed) {
    return Arrays.stream(InitFlag.values())
        .filter(flag -> flag.in(agreed))
        .map(InitFlag::name)
        .collect(Collectors.joining(" "));
  }

  @Override
  public void settings(SavedSettings settings) {
    out.accept(
        (settings.mounted() ? "mounted with %s" : "not mounted")
            .formatted(flags(settings.agreed())));
    out.accept("next inode %d, next file %d".formatted(settings.nextNode(), settings.nextHandle()));
  }

  @Override
  public void option(SavedOption option) {
    out.accept("daemon's option %s: '%s'".formatted(option.name(), option.value()));
  }

  @Override
  public void inode(SavedInode inode) {
    inodes++;
    out.accept(
        "inode %d, looked up %d times%s: %s"
            .formatted(
                inode.nodeId(),
                inode.lookups(),
                inode.needed() ? ", in use" : "",
                where(inode.location())));
  }

  private static String where(Location location) {
    return switch (location) {
      case Location.Root _ -> "the shared folder";
      case Location.Named(long directory, var name) -> "'%s' in %d".formatted(name, directory);
      case Location.AtPath(var path) -> "'%s'".formatted(path);
      case Location.ByHandle(var mount, var handle) ->
          "by a file handle of %d bytes, on the mount '%s'".formatted(handle.length() - 4, mount);
      case Location.Hidden(var name) -> "'%s', for the journey".formatted(name);
      case Location.Embedded embedded ->
          "without a name, mode %o, %d bytes".formatted(embedded.mode(), embedded.size());
      case Location.Lost _ -> "lost";
    };
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) {
    contentBytes += bytes.byteSize();
    out.accept("content of inode %d: %d bytes at %d".formatted(nodeId, bytes.byteSize(), offset));
  }

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) {
    out.accept("attribute of inode %d: %s".formatted(nodeId, attribute.name()));
  }

  @Override
  public void file(SavedFile file) {
    files++;
    out.accept(
        "file %d: inode %d, flags %#o".formatted(file.handle(), file.nodeId(), file.flags()));
  }

  @Override
  public void lock(SavedLock lock) {
    locks++;
    switch (lock) {
      case SavedLock.Range range ->
          out.accept(
              "lock of inode %d: bytes %d to %d, owner %#x, %s"
                  .formatted(
                      range.nodeId(),
                      range.start(),
                      range.end(),
                      range.owner(),
                      range.exclusive() ? "exclusive" : "shared"));
      case SavedLock.Whole(long handle, boolean exclusive) ->
          out.accept("lock of file %d: %s".formatted(handle, exclusive ? "exclusive" : "shared"));
    }
  }

  @Override
  public void end() {
    out.accept(
        "%d inodes, %d open files, %d locks, %d bytes of content; %s"
            .formatted(
                inodes,
                files,
                locks,
                contentBytes,
                switch (form) {
                  case HAWSER -> "whole and undamaged";
                  case VIRTIOFSD -> "virtiofsd's form, which has no checksum";
                }));
  }
}
