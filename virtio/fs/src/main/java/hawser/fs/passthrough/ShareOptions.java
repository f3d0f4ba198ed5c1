package hawser.fs.passthrough;

import hawser.fs.state.SavedOption;
import hawser.fs.xattr.XattrMap;
import java.util.List;
import java.util.Locale;

/**
 * How a folder is shared; what a kernel does not know of stays off all the same.
 *
 * @param cache what the guest may believe
 * @param writeback the guest collects writes
 * @param xattr extended attributes are served
 * @param posixAcl access lists are the host's
 * @param posixLocks byte-range locks are the host's
 * @param flocks locks of flock(2) are the host's
 * @param announceSubmounts file systems within the folder appear as such
 * @param readdirplus listings may come with attributes
 * @param killprivV2 the host takes set-user-ID and set-group-ID bits away
 * @param securityLabel new files get the guest's security attributes
 * @param allowDirectIo O_DIRECT reaches the host
 * @param allowMmap files that go past the page cache may be mapped by several processes
 * @param preserveNoatime reading of files opened with O_NOATIME leaves their times alone
 * @param readOnly nothing may be changed
 * @param translation what has other names or numbers on the host
 * @param handles whether files that were renamed by others are opened again by their handles
 * @param descriptorsMax descriptors to keep for inodes that nobody has open; open files come on top
 */
public record ShareOptions(
    CacheMode cache,
    boolean writeback,
    boolean xattr,
    boolean posixAcl,
    boolean posixLocks,
    boolean flocks,
    boolean announceSubmounts,
    boolean readdirplus,
    boolean killprivV2,
    boolean securityLabel,
    boolean allowDirectIo,
    boolean allowMmap,
    boolean preserveNoatime,
    boolean readOnly,
    Translation translation,
    HandleMode handles,
    int descriptorsMax) {
  /**
   * What a guest relies on besides what INIT agreed to, named as on the command line: it must be
   * the same wherever the guest goes.
   */
  List<SavedOption> reliedOn() {
    XattrMap map = translation.xattrs();
    return List.of(
        new SavedOption("cache", cache.name().toLowerCase(Locale.ROOT)),
        new SavedOption("xattr", onOrOff(xattr)),
        new SavedOption("xattrmap", map == null ? "" : map.toString()),
        new SavedOption("translate-uid", translation.users().toString()),
        new SavedOption("translate-gid", translation.groups().toString()),
        new SavedOption("readonly", onOrOff(readOnly)),
        new SavedOption("allow-direct-io", onOrOff(allowDirectIo)),
        new SavedOption("preserve-noatime", onOrOff(preserveNoatime)));
  }

  private static String onOrOff(boolean option) {
    return option ? "on" : "off";
  }
}
