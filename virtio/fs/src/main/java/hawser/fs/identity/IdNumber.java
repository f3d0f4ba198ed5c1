package hawser.fs.identity;

/** A user's or group's number on a command line: an unsigned one of 32 bits. */
final class IdNumber {
  private IdNumber() {}

  /**
   * The number that a text spells.
   *
   * @throws IllegalArgumentException with the words of Rust's library, if it spells none
   */
  static long parse(String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("cannot parse integer from empty string");
    }
    int from = text.length() > 1 && text.charAt(0) == '+' ? 1 : 0;
    long value = 0;
    for (int i = from; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw new IllegalArgumentException("invalid digit found in string");
      }
      value = value * 10 + digit;
      if (value > 0xffff_ffffL) {
        throw new IllegalArgumentException("number too large to fit in target type");
      }
    }
    return value;
  }
}
