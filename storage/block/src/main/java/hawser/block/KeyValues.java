package hawser.block;

import java.util.LinkedHashMap;
import java.util.Map;

/** The comma-separated {@code key=value} lists of QEMU's command lines. */
public final class KeyValues {
  private KeyValues() {}

  /**
   * Reads {@code a=1,b=x,,y,c}: a doubled comma stands for one in the value, a key alone is on, the
   * last of equal keys counts. Keeps the order.
   */
  public static Map<String, String> parse(String text) {
    var pairs = new LinkedHashMap<String, String>();
    int at = 0;
    while (at < text.length()) {
      var part = new StringBuilder();
      while (at < text.length()) {
        char c = text.charAt(at);
        if (c == ',') {
          if (at + 1 < text.length() && text.charAt(at + 1) == ',') {
            at++;
          } else {
            break;
          }
        }
        part.append(c);
        at++;
      }
      at++;
      add(pairs, part.toString());
    }
    return pairs;
  }

  private static void add(Map<String, String> pairs, String part) {
    int equals = part.indexOf('=');
    if (equals >= 0) {
      pairs.put(part.substring(0, equals), part.substring(equals + 1));
    } else if (!part.isEmpty()) {
      pairs.put(part, "on");
    }
  }
}
