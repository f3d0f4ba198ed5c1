package hawser.fs.state;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Takes a state piece by piece: settings first, then inodes, each after the directory it lies in,
 * the content of those that have lost their names, open files and locks. Nothing may come of it
 * before {@link #end}: until then the pieces may turn out to be damaged.
 */
public interface StateSink {
  /** What guest and daemon have agreed on. Comes first, once. */
  void settings(SavedSettings settings) throws IOException;

  /** An option; all come before the inodes. States of others, and older ones, have none. */
  void option(SavedOption option) throws IOException;

  /** An inode. */
  void inode(SavedInode inode) throws IOException;

  /** Bytes of a regular file that travels with its content; what is left out reads as zeroes. */
  void content(long nodeId, long offset, MemorySegment bytes) throws IOException;

  /** An extended attribute of an inode that travels with its content. */
  void attribute(long nodeId, SavedAttribute attribute) throws IOException;

  /** A file or directory that the guest holds open. */
  void file(SavedFile file) throws IOException;

  /** A lock that the guest holds. */
  void lock(SavedLock lock) throws IOException;

  /** All has come, and is what it was. */
  void end() throws IOException;
}
