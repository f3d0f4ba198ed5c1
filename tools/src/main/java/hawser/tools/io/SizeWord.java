package hawser.tools.io;

import hawser.base.Size;
import java.math.BigInteger;
import java.util.OptionalLong;

/** Tells sizes, what is no size, and what is one and too large, as qemu-io's complaints do. */
final class SizeWord {
  private static final String SUFFIXES = "bkmgtpe";

  private SizeWord() {}

  /** What a word turned out to be. */
  sealed interface Read {}

  /** A size. */
  record Bytes(long value) implements Read {}

  /** No size. */
  record NotANumber() implements Read {}

  /** A size of 2^63 bytes or more. */
  record TooLarge() implements Read {}

  static Read read(String word) {
    OptionalLong size = Size.parse(word);
    if (size.isPresent()) {
      return new Bytes(size.getAsLong());
    }
    return wellFormed(word) ? new TooLarge() : new NotANumber();
  }

  private static boolean wellFormed(String word) {
    if (word.startsWith("0x") || word.startsWith("0X")) {
      return digits(word.substring(2), 16);
    }
    int end = word.length();
    if (end > 1 && SUFFIXES.indexOf(Character.toLowerCase(word.charAt(end - 1))) >= 0) {
      end--;
    }
    return digits(word.substring(0, end).replaceFirst("\\.", ""), 10);
  }

  private static boolean digits(String text, int radix) {
    if (text.isEmpty() || text.startsWith("-") || text.startsWith("+")) {
      return false;
    }
    try {
      return new BigInteger(text, radix).signum() >= 0;
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
