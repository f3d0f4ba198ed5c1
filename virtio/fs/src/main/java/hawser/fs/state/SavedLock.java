package hawser.fs.state;

/** A lock that the guest holds. */
public sealed interface SavedLock {
  /**
   * Of a process, on a range of a file (fcntl(2)).
   *
   * @param nodeId which file
   * @param owner which of the guest's processes
   * @param exclusive for writing
   * @param start its first byte
   * @param end its last byte
   */
  record Range(long nodeId, long owner, boolean exclusive, long start, long end)
      implements SavedLock {}

  /** Of an open file, on all of it (flock(2)). */
  record Whole(long handle, boolean exclusive) implements SavedLock {}
}
