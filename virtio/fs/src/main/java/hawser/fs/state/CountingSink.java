package hawser.fs.state;

import java.lang.foreign.MemorySegment;

/** Counts what a state consists of. */
public final class CountingSink implements StateSink {
  private long inodes;
  private long files;
  private long locks;

  /** Nothing counted yet. */
  public CountingSink() {}

  /** Inodes. */
  public long inodes() {
    return inodes;
  }

  /** Open files and directories. */
  public long files() {
    return files;
  }

  /** Locks. */
  public long locks() {
    return locks;
  }

  @Override
  public void settings(SavedSettings settings) {}

  @Override
  public void inode(SavedInode inode) {
    inodes++;
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) {}

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) {}

  @Override
  public void file(SavedFile file) {
    files++;
  }

  @Override
  public void lock(SavedLock lock) {
    locks++;
  }

  @Override
  public void end() {}
}
