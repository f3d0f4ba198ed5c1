package hawser.fs.identity;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which number of the host's a user or group of the guest's has, and which number of the guest's
 * one of the host's. A number that no rule is about is the same on both sides. Immutable.
 */
public final class IdMap {
  /** Every number is the same on both sides. */
  public static final IdMap NONE = new IdMap(List.of());

  /** The answer for a number that the guest must not use. */
  public static final long FORBIDDEN = -1;

  private final List<IdRange> ofGuest = new ArrayList<>();
  private final List<IdRange> ofHost = new ArrayList<>();

  private final List<IdRule> rules;

  private IdMap(List<IdRule> rules) {
    this.rules = List.copyOf(rules);
    for (IdRule rule : rules) {
      switch (rule.type()) {
        case GUEST, SQUASH_GUEST, FORBID_GUEST -> add(ofGuest, "Guest-to-host", rule, true);
        case HOST, SQUASH_HOST -> add(ofHost, "Host-to-guest", rule, false);
        case MAP -> {
          add(ofGuest, "Guest-to-host", rule, true);
          add(ofHost, "Host-to-guest", rule, false);
        }
      }
    }
  }

  /**
   * The map of all of these rules.
   *
   * @throws IllegalArgumentException with virtiofsd's words, where two are about the same number
   */
  public static IdMap of(List<IdRule> rules) {
    return new IdMap(rules);
  }

  private static void add(List<IdRange> ranges, String direction, IdRule rule, boolean guest) {
    IdRange range = rule.range(guest);
    if (ranges.stream().anyMatch(range::overlaps)) {
      throw new IllegalArgumentException(
          "%s: %s mapping '%s' intersects previously added entry"
              .formatted(rule, direction, range));
    }
    ranges.add(range);
  }

  /** The host's number for one of the guest's, or {@link #FORBIDDEN}; unsigned 32-bit ones. */
  public long onHost(int id) {
    long number = Integer.toUnsignedLong(id);
    IdRange range = find(ofGuest, number);
    if (range == null) {
      return number;
    }
    return range.kind() == IdRange.Kind.FORBIDDEN ? FORBIDDEN : range.translated(number);
  }

  /** The guest's number for one of the host's. */
  public int inGuest(int id) {
    long number = Integer.toUnsignedLong(id);
    IdRange range = find(ofHost, number);
    return range == null ? id : (int) range.translated(number);
  }

  /** Its rules as a command line has them. */
  @Override
  public String toString() {
    return rules.stream().map(IdRule::toString).collect(Collectors.joining(" "));
  }

  private static @Nullable IdRange find(List<IdRange> in, long id) {
    for (int i = 0; i < in.size(); i++) {
      IdRange range = in.get(i);
      if (range.contains(id)) {
        return range;
      }
    }
    return null;
  }
}
