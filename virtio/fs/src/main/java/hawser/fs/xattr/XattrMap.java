package hawser.fs.xattr;

import hawser.base.Errno;
import hawser.fs.Name;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How names of extended attributes translate between guest and host: the first rule that matches
 * decides (virtiofsd, "Extended attribute (xattr) mapping"). A name that no rule matches is
 * forbidden and hidden, where virtiofsd gives up. Immutable.
 */
public final class XattrMap {
  private final List<XattrRule> rules;

  private final String text;

  XattrMap(List<XattrRule> rules, String text) {
    this.text = text;
    this.rules = List.copyOf(rules);
  }

  /**
   * The map that a command line describes.
   *
   * @param text rules, each with a separator of its own: {@code :map::user.virtiofs.:}
   * @throws IllegalArgumentException with virtiofsd's words, if it describes none
   */
  public static XattrMap parse(String text) {
    return new XattrMap(new XattrMapReader(text).read(), text);
  }

  /** As a command line has it. */
  @Override
  public String toString() {
    return text;
  }

  /** What the host is asked for when the guest asks for a name. */
  public sealed interface OnHost {
    /** Something by this name. */
    record Named(Name name) implements OnHost {}

    /** Nothing: the guest gets this error. */
    record Refused(Errno errno) implements OnHost {}
  }

  /** What the host is asked for when the guest asks for {@code name}. */
  public OnHost onHost(Name name) {
    for (XattrRule rule : rules) {
      if (rule.matchesGuest(name)) {
        return switch (rule.type()) {
          case PREFIX -> new OnHost.Named(rule.prepend().with(name));
          case OK -> new OnHost.Named(name);
          case BAD -> new OnHost.Refused(Errno.EPERM);
          case UNSUPPORTED -> new OnHost.Refused(Errno.EOPNOTSUPP);
        };
      }
    }
    return new OnHost.Refused(Errno.EPERM);
  }

  /** What the guest sees of a name that the host lists; null for nothing. */
  public @Nullable Name inGuest(Name name) {
    for (XattrRule rule : rules) {
      if (rule.matchesHost(name)) {
        return switch (rule.type()) {
          case PREFIX -> name.without(rule.prepend());
          case OK -> name;
          case BAD, UNSUPPORTED -> null;
        };
      }
    }
    return null;
  }
}
