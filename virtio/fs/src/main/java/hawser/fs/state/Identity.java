package hawser.fs.state;

/**
 * What tells a file from all others, as far as two hosts that share a file system agree on it.
 *
 * @param device the file system's device on the host it was saved on, and
 * @param mount its mount there: together they tell which inodes lie on the same file system
 * @param inode its number there; 0 where it is not known
 * @param birthSeconds when it was made, for numbers are used again; 0 where not known
 * @param birthNanos nanoseconds further
 */
public record Identity(long device, long mount, long inode, long birthSeconds, int birthNanos) {
  /** Nothing is known of it. */
  public static final Identity UNKNOWN = new Identity(0, 0, 0, 0, 0);

  /** Whether both mean the same file of one file system; true where nothing is known. */
  public boolean matches(Identity other) {
    return inode == 0
        || other.inode == 0
        || (inode == other.inode
            && birthSeconds == other.birthSeconds
            && birthNanos == other.birthNanos);
  }
}
