package hawser.base;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.OptionalLong;

/** Sizes as people write and read them: "10G" on the way in, "10 GiB" on the way out. */
public final class Size {
  private static final BigDecimal THOUSAND = BigDecimal.valueOf(1000);
  private static final String SUFFIXES = "BKMGTPE";
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Size() {}

  /**
   * Reads a size as QEMU's tools do: decimal or 0x-hexadecimal digits, or a decimal fraction, and
   * an optional suffix out of {@code b k M G T P E} (powers of 1024, either case); no suffix means
   * bytes. Blanks and a plus sign may stand in front. Empty when the text is not a size; values
   * above 2^63-1 are not sizes.
   */
  public static OptionalLong parse(String text) {
    return parse(text, 'B');
  }

  /** As {@link #parse(String)}, with the suffix to assume when there is none. */
  public static OptionalLong parse(String given, char defaultSuffix) {
    String text = given.stripLeading();
    if (text.startsWith("+")) {
      text = text.substring(1);
    }
    if (text.startsWith("0x") || text.startsWith("0X")) {
      return parseHex(text.substring(2));
    }
    int digits = 0;
    while (digits < text.length() && isNumberPart(text.charAt(digits))) {
      digits++;
    }
    String number = text.substring(0, digits);
    String suffix = text.substring(digits);
    if (suffix.length() > 1 || !number.matches("\\d+(\\.\\d*)?|\\.\\d+")) {
      return OptionalLong.empty();
    }
    char unit = suffix.isEmpty() ? defaultSuffix : suffix.charAt(0);
    int power = SUFFIXES.indexOf(Character.toUpperCase(unit));
    if (power < 0 || (power == 0 && number.contains("."))) {
      return OptionalLong.empty();
    }
    var bytes = new BigDecimal(number).multiply(BigDecimal.valueOf(1L << (10 * power)));
    var whole = bytes.toBigInteger();
    return whole.bitLength() > 63 ? OptionalLong.empty() : OptionalLong.of(whole.longValue());
  }

  private static OptionalLong parseHex(String digits) {
    if (!digits.matches("[0-9a-fA-F]{1,16}")) {
      return OptionalLong.empty();
    }
    long value = Long.parseUnsignedLong(digits, 16);
    return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
  }

  private static boolean isNumberPart(char c) {
    return (c >= '0' && c <= '9') || c == '.';
  }

  /**
   * A size with three significant digits and its unit, as QEMU prints it: {@code 196 KiB}, {@code
   * 1.5 GiB}. The unit changes at 1000, not at 1024, of the smaller one.
   */
  public static String human(long bytes) {
    int power = 0;
    double value = bytes;
    while (value >= 1000 && power < UNITS.length - 1) {
      value /= 1024;
      power++;
    }
    return significant(value) + " " + UNITS[power];
  }

  /** C's {@code %0.3g}, which turns to an exponent where three digits round up to a thousand. */
  private static String significant(double value) {
    var rounded = new BigDecimal(value).round(new MathContext(3, RoundingMode.HALF_EVEN));
    return rounded.compareTo(THOUSAND) == 0
        ? "1e+03"
        : rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }
}
