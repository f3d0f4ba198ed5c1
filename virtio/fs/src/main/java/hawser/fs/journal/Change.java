package hawser.fs.journal;

import hawser.fs.Name;
import hawser.fs.state.Identity;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedSettings;

/**
 * One step of what a guest knows of its share. Applied one after the other to an empty share, all
 * steps of a journal make what the guest knew when the last was written.
 *
 * <p>{@code unique} is the number of the guest's request that a step belongs to: a request that was
 * not answered when the daemon died is served again, and then it counts what it has done before.
 */
public sealed interface Change {
  /** What guest and daemon have agreed on, and where their counting goes on. */
  record Settled(SavedSettings settings) implements Change {}

  /**
   * An inode as it is, at the beginning of a journal.
   *
   * @param lookups how often the guest has been told of it
   * @param directory where it was seen last, {@code name} by which name there; 0 for the root
   * @param nameless that name does not lead to it any more
   * @param visibleInode the number that the guest's programs see
   * @param known whether the guest may name it, or it is only on the way to one that it may
   */
  record Known(
      long nodeId,
      Identity identity,
      int type,
      long lookups,
      long directory,
      Name name,
      boolean nameless,
      long visibleInode,
      boolean known)
      implements Change {}

  /** The guest is told of an inode, once more. */
  record Found(
      long unique,
      long nodeId,
      Identity identity,
      int type,
      long directory,
      Name name,
      boolean nameless)
      implements Change {}

  /** The guest forgets some of what it was told of an inode. */
  record Forgotten(long unique, long nodeId, long lookups) implements Change {}

  /** An inode is found by another name from now on. */
  record Moved(long nodeId, long directory, Name name) implements Change {}

  /** The name by which an inode was found is gone. */
  record Unnamed(long nodeId) implements Change {}

  /** An inode has this file handle. */
  record Handled(long nodeId, Name handle) implements Change {}

  /** A descriptor that stands for an inode is kept. */
  record Kept(long nodeId, long key) implements Change {}

  /** A file is open, and its descriptor kept. */
  record Opened(long unique, long handle, long nodeId, int flags, long key) implements Change {}

  /** An open file is closed. */
  record Closed(long unique, long handle) implements Change {}

  /** The descriptor is kept that a guest's process has its locks on a file by. */
  record Locking(long nodeId, long owner, long key) implements Change {}

  /** A lock is taken. */
  record Locked(SavedLock lock) implements Change {}

  /** A process has no lock any more from {@code start} to {@code end} of a file. */
  record Unlocked(long nodeId, long owner, long start, long end) implements Change {}

  /** An open file has no lock any more on all of it. */
  record UnlockedWhole(long handle) implements Change {}

  /** A process has closed a file, and has no locks on it any more. */
  record Released(long nodeId, long owner) implements Change {}

  /**
   * A request is about to change names, which cannot be done twice.
   *
   * @param first what the first of its names leads to; {@link Identity#UNKNOWN} when to nothing
   * @param second the same of the second
   */
  record Begun(long unique, Identity first, Identity second) implements Change {}

  /** A request is about to write to the end of a file, which is at {@code size}. */
  record Appending(long unique, long size) implements Change {}

  /** What a request has done is taken back, for it is served again. */
  record Undone(long unique) implements Change {}

  /** The guest knows nothing any more. */
  record Cleared() implements Change {}

  /** What a request has done before the beginning of a journal, which knows the result already. */
  record Past(Change change) implements Change {}
}
