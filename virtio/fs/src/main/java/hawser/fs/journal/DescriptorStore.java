package hawser.fs.journal;

/**
 * Somebody who outlives this process and keeps copies of its descriptors for a successor. Safe from
 * any thread; what has been given stays given, even if this process dies at once.
 */
public interface DescriptorStore {
  /**
   * Keeps a copy of a descriptor, in place of an earlier one under the same key.
   *
   * @param key any number but those below {@link #FIRST_KEY}, which are the keeper's own
   * @param fd an open descriptor, which stays the caller's
   */
  void keep(long key, int fd);

  /** Lets a copy go; nothing happens where there is none. */
  void drop(long key);

  /** The first key that is free for use. */
  long FIRST_KEY = 16;
}
