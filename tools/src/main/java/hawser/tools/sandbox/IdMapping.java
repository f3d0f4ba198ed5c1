package hawser.tools.sandbox;

/**
 * A range of users or groups as a user namespace maps them.
 *
 * @param inside the first number inside
 * @param outside the first number on the host
 * @param count how many, one after the other; at least 1
 */
public record IdMapping(long inside, long outside, long count) {
  private static final long ID_MAX = 0xffff_ffffL;

  /**
   * Reads {@code :inside:outside:count:}; any other character may stand for the colons.
   *
   * @throws IllegalArgumentException when the text says something else
   */
  public static IdMapping parse(String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("no range");
    }
    char between = text.charAt(0);
    if (Character.isLetterOrDigit(between) || text.charAt(text.length() - 1) != between) {
      throw new IllegalArgumentException(
          "'%s' does not begin and end with the same delimiter".formatted(text));
    }
    String[] fields =
        text.substring(1, Math.max(1, text.length() - 1))
            .split(java.util.regex.Pattern.quote(String.valueOf(between)), -1);
    if (fields.length != 3) {
      throw new IllegalArgumentException(
          "'%s' is not three numbers with delimiters around each".formatted(text));
    }
    var mapping = new IdMapping(number(fields[0]), number(fields[1]), number(fields[2]));
    if (mapping.count == 0 || mapping.count > ID_MAX - Math.max(mapping.inside, mapping.outside)) {
      throw new IllegalArgumentException("a range of %s numbers".formatted(fields[2]));
    }
    return mapping;
  }

  private static long number(String text) {
    long value = Long.parseLong(text);
    if (value < 0 || value > ID_MAX) {
      throw new IllegalArgumentException("%s is not 0 to %d".formatted(text, ID_MAX));
    }
    return value;
  }

  /** Whether it maps one number, and that one. */
  boolean isOnly(long id) {
    return outside == id && count == 1;
  }
}
