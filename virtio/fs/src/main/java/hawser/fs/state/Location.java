package hawser.fs.state;

import hawser.fs.Name;

/** Where an inode is found at the destination. */
public sealed interface Location {
  /** It is the shared folder. */
  record Root() implements Location {}

  /** Under this name in a directory that came before. */
  record Named(long directory, Name name) implements Location {}

  /** At this path below the shared folder, as virtiofsd tells it. */
  record AtPath(Name path) implements Location {}

  /**
   * By a file handle, where the destination may open one.
   *
   * @param mount a path below the shared folder to the mount it belongs to
   * @param handle its type in four bytes, and the file system's bytes
   */
  record ByHandle(Name mount, Name handle) implements Location {}

  /** Under a name in the shared folder that the source gave it for the journey; to be removed. */
  record Hidden(Name name) implements Location {}

  /**
   * It has no name any more and is made anew; a regular file's content follows.
   *
   * @param mode type and permissions
   * @param device of a device node, as makedev(3) packs it
   * @param size bytes of a regular file
   * @param target a symbolic link's
   */
  record Embedded(
      int mode,
      int uid,
      int gid,
      long device,
      long size,
      long atimeSeconds,
      int atimeNanos,
      long mtimeSeconds,
      int mtimeNanos,
      Name target)
      implements Location {}

  /** It was lost before. */
  record Lost() implements Location {}
}
