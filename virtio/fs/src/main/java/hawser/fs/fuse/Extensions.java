package hawser.fs.fuse;

import hawser.fs.Name;
import java.util.List;
import java.util.OptionalInt;

/**
 * What may follow a request that makes a file.
 *
 * @param contexts security attributes to be set on it
 * @param group a further group of who asks, to be in force meanwhile
 */
public record Extensions(List<SecurityContext> contexts, OptionalInt group) {
  /** None. */
  public static final Extensions NONE = new Extensions(List.of(), OptionalInt.empty());

  /**
   * A security attribute (struct fuse_secctx).
   *
   * @param name as an extended attribute's
   * @param value its bytes
   */
  public record SecurityContext(Name name, Name value) {}
}
