package hawser.base;

import java.util.Locale;
import java.util.OptionalLong;

/** Sizes as people write and read them: "10G" on the way in, "10 GiB" on the way out. */
public final class Size {
  private static final String SUFFIXES = "BKMGTPE";
  private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Size() {}

  /**
   * Reads a size as QEMU's tools do: decimal or 0x-hexadecimal digits, or a decimal fraction, and
   * an optional suffix out of {@code b k M G T P E} (powers of 1024, either case); no suffix means
   * bytes. Empty when the text is not a size; values above 2^63-1 are not sizes.
   */
  public static OptionalLong parse(String text) {
    return parse(text, 'B');
  }

  /** As {@link #parse(String)}, with the suffix to assume when there is none. */
  public static OptionalLong parse(String text, char defaultSuffix) {
    if (text.isEmpty()) {
      return OptionalLong.empty();
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
    var bytes =
        new java.math.BigDecimal(number).multiply(java.math.BigDecimal.valueOf(1L << (10 * power)));
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

  /** C's {@code %0.3g}: three significant digits without trailing zeroes. */
  private static String significant(double value) {
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    if (value < 1 && value > 0) {
      decimals = 3;
    }
    String text = String.format(Locale.ROOT, "%." + decimals + "f", value);
    return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
  }
}
