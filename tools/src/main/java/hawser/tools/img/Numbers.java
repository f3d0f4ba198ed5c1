package hawser.tools.img;

import hawser.base.Size;
import hawser.base.UsageFault;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.OptionalLong;

/** Numbers on qemu-img's command line, and its complaints about them. */
final class Numbers {
  private Numbers() {}

  /** A size in bytes, at least 0; {@code what} names it in the complaint. */
  static long size(String what, String text) {
    return size(what, text, 0, Long.MAX_VALUE);
  }

  /** A size within limits. */
  static long size(String what, String text, long least, long most) {
    OptionalLong size = Size.parse(text);
    if (size.isEmpty() && !isSizeOutOfRange(text)) {
      throw new UsageFault("Invalid " + what + " specified: '" + text + "'.");
    }
    if (size.isEmpty() || size.getAsLong() < least || size.getAsLong() > most) {
      throw new UsageFault(
          "Invalid " + what + " specified. Must be between " + least + " and " + most + ".");
    }
    return size.getAsLong();
  }

  /** Whether a text is a size above the largest that a disk can have. */
  static boolean tooLarge(String text) {
    return !text.startsWith("-") && isSizeOutOfRange(text);
  }

  /** Whether a text would be a size if its digits were fewer or its sign another. */
  private static boolean isSizeOutOfRange(String text) {
    int at = text.startsWith("-") ? 1 : 0;
    int digits = at;
    while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
      digits++;
    }
    return digits > at && Size.parse("1" + text.substring(digits)).isPresent();
  }

  /** C's {@code %.2f}: what lies exactly between two goes to the even one. */
  static String twoDecimals(double value) {
    return new BigDecimal(value).setScale(2, RoundingMode.HALF_EVEN).toPlainString();
  }
}
