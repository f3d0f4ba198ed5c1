package hawser.tools.io;

import hawser.tools.Terminal;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/**
 * How qemu-io reports a request.
 *
 * @param quiet say nothing
 * @param machine in one line of numbers
 */
record Report(boolean quiet, boolean machine) {
  private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  private static final int DUMP_WIDTH = 16;

  /** As below. */
  static String size(long bytes) {
    return size((double) bytes);
  }

  /** Bytes with three decimals, or none where they are zero: {@code 64 KiB}, {@code 1.500 MiB}. */
  static String size(double bytes) {
    int unit = 0;
    double value = bytes;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    String text = String.format(Locale.ROOT, unit == 0 ? "%f" : "%.3f", value);
    int zeroes = text.indexOf(".000");
    return (zeroes < 0 ? text : text.substring(0, zeroes)) + " " + UNITS[unit];
  }

  /** Prints it; the request was for {@code count} bytes and took {@code nanos}. */
  void print(Terminal io, String verb, long nanos, long offset, long count) {
    if (quiet) {
      return;
    }
    double seconds = nanos / 1e9;
    if (machine) {
      io.line(
          String.format(
              Locale.ROOT,
              "%d,%d,%s,%.3f,%.3f",
              count,
              1,
              clock(nanos),
              (double) count / seconds,
              1 / seconds));
      return;
    }
    io.line("%s %d/%d bytes at offset %d".formatted(verb, count, count, offset));
    io.line(
        String.format(
            Locale.ROOT,
            "%s, %d ops; %s (%s/sec and %.4f ops/sec)",
            size(count),
            1,
            nanos >= 1_000_000_000L ? clock(nanos) : "%05.2f sec".formatted(seconds),
            size((double) count / seconds),
            1 / seconds));
  }

  private static String clock(long nanos) {
    long seconds = nanos / 1_000_000_000L;
    return String.format(
        Locale.ROOT,
        "%d:%02d:%05.2f",
        seconds / 3600,
        seconds % 3600 / 60,
        seconds % 60 + (nanos % 1_000_000_000L) / 1e9);
  }

  /** Prints bytes as hexadecimal digits and letters. */
  static void dump(Terminal io, MemorySegment bytes, long offset) {
    for (long at = 0; at < bytes.byteSize(); at += DUMP_WIDTH) {
      var hex = new StringBuilder();
      var letters = new StringBuilder();
      for (long i = at; i < Math.min(at + DUMP_WIDTH, bytes.byteSize()); i++) {
        int value = bytes.get(ValueLayout.JAVA_BYTE, i) & 0xff;
        hex.append("%02x ".formatted(value));
        boolean plain = value < 0x80 && Character.isLetterOrDigit(value);
        letters.append(plain ? (char) value : '.');
      }
      io.line("%08x:  %s %s".formatted(offset + at, hex, letters));
    }
  }
}
