package hawser.fs.passthrough;

import hawser.fs.identity.IdMap;
import hawser.fs.xattr.XattrMap;
import org.jspecify.annotations.Nullable;

/**
 * What has other names or numbers on the host than in the guest.
 *
 * @param xattrs names of extended attributes; null: they are the same
 * @param users users' numbers
 * @param groups groups' numbers
 */
public record Translation(@Nullable XattrMap xattrs, IdMap users, IdMap groups) {
  /** Everything is the same. */
  public static final Translation NONE = new Translation(null, IdMap.NONE, IdMap.NONE);
}
