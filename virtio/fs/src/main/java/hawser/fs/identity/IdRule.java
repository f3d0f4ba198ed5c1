package hawser.fs.identity;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * One rule for users' or groups' numbers, as virtiofsd's {@code --translate-uid} has it: {@code
 * TYPE:SOURCE:TARGET:COUNT}, with any other separator in the colon's place.
 *
 * @param type what it does
 * @param from the first number that it applies to
 * @param to what that becomes; none for {@code forbid-guest}
 * @param count how many numbers it applies to
 */
public record IdRule(Type type, long from, long to, long count) {
  private static final long ID_MAX = 0xffff_ffffL;

  /** What a rule does. */
  public enum Type {
    /** A range of the guest's becomes one of the host's. */
    GUEST,
    /** A range of the host's becomes one of the guest's. */
    HOST,
    /** A range of the guest's becomes one number of the host's. */
    SQUASH_GUEST,
    /** A range of the host's becomes one number of the guest's. */
    SQUASH_HOST,
    /** The guest must not use a range. */
    FORBID_GUEST,
    /** A range of the guest's is one of the host's, both ways. */
    MAP;

    /** Its name on a command line. */
    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * The rule that a command line gives.
   *
   * @throws IllegalArgumentException with virtiofsd's words, if it gives none
   */
  public static IdRule parse(String text) {
    int end = 0;
    while (end < text.length() && isOfType(text.charAt(end))) {
      end++;
    }
    if (end == text.length()) {
      throw lengths(1, 0);
    }
    String separator = text.substring(end, end + 1);
    String[] fields = text.substring(end + 1).split(Pattern.quote(separator), -1);
    long[] values = new long[fields.length];
    for (int i = 0; i < fields.length; i++) {
      values[i] = number(fields[i]);
    }
    return of(text.substring(0, end).toLowerCase(Locale.ROOT), values);
  }

  private static boolean isOfType(char c) {
    return Character.isLetterOrDigit(c) || c == '-' || c == '_';
  }

  private static IdRule of(String name, long[] values) {
    for (Type type : Type.values()) {
      if (type.text().equals(name)) {
        boolean forbids = type == Type.FORBID_GUEST;
        int expected = forbids ? 2 : 3;
        if (values.length != expected) {
          throw lengths(expected, values.length);
        }
        return new IdRule(type, values[0], forbids ? 0 : values[1], values[expected - 1]);
      }
    }
    throw new IllegalArgumentException("Invalid ID map prefix " + name);
  }

  private static long number(String text) {
    try {
      return IdNumber.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "Invalid value %s in ID map: %s".formatted(text, e.getMessage()), e);
    }
  }

  private static IllegalArgumentException lengths(int expected, int seen) {
    return new IllegalArgumentException(
        "Invalid ID map length (expected %d elements, got %d elements)".formatted(expected, seen));
  }

  /** The range of one side that it starts from: the guest's, or the host's. */
  IdRange range(boolean ofGuest) {
    boolean back = type == Type.MAP && !ofGuest;
    long first = back ? to : from;
    var kind =
        switch (type) {
          case GUEST, HOST, MAP -> IdRange.Kind.SHIFTED;
          case SQUASH_GUEST, SQUASH_HOST -> IdRange.Kind.SQUASHED;
          case FORBID_GUEST -> IdRange.Kind.FORBIDDEN;
        };
    var range = new IdRange(first, count, back ? from : to, kind);
    boolean lands = kind != IdRange.Kind.SHIFTED || range.to() + count <= ID_MAX;
    if (range.end() > ID_MAX || !lands) {
      throw new IllegalArgumentException("Parameter %s: Range overflow".formatted(this));
    }
    return range;
  }

  /** As a command line has it. */
  @Override
  public String toString() {
    return type == Type.FORBID_GUEST
        ? "%s:%d:%d".formatted(type.text(), from, count)
        : "%s:%d:%d:%d".formatted(type.text(), from, to, count);
  }
}
