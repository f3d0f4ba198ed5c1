package hawser.fs.passthrough;

import hawser.fs.state.Identity;
import hawser.sys.Statx;

/**
 * What tells a file from all others on this host.
 *
 * @param device the file system's device, major number in the upper half
 * @param inode its number there
 * @param mount the mount it was found on; 0 where the kernel does not tell
 * @param birthSeconds when it was made, for an inode's number is used again; 0 where not known
 * @param birthNanos nanoseconds further
 */
record FileId(long device, long inode, long mount, long birthSeconds, int birthNanos) {
  static FileId of(Statx status) {
    return new FileId(
        status.device(),
        status.inode(),
        status.mount(),
        status.btimeSeconds(),
        status.btimeNanos());
  }

  static FileId of(Identity identity) {
    return new FileId(
        identity.device(),
        identity.inode(),
        identity.mount(),
        identity.birthSeconds(),
        identity.birthNanos());
  }

  /** Whether another file may have had it before: nobody knows when either was made. */
  boolean mayBeAnother() {
    return birthSeconds == 0;
  }

  /** What of it travels. */
  Identity identity() {
    return new Identity(device, mount, inode, birthSeconds, birthNanos);
  }

  @Override
  public int hashCode() {
    return Long.hashCode((inode * 31 + device) * 0x9e3779b97f4a7c15L);
  }
}
