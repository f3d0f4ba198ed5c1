package hawser.tools.img;

import hawser.base.UsageFault;
import hawser.block.KeyValues;
import java.util.Map;

/** The values of a repeatable {@code -o}, joined. */
final class OptionLists {
  private final StringBuilder joined = new StringBuilder();

  /**
   * Adds one.
   *
   * @throws UsageFault when joining would let its commas change its neighbours' meaning
   */
  void add(String list) {
    int commas = 0;
    while (commas < list.length() && list.charAt(list.length() - 1 - commas) == ',') {
      commas++;
    }
    if (list.isEmpty() || list.charAt(0) == ',' || commas % 2 != 0) {
      throw new UsageFault("Invalid option list: " + list);
    }
    joined.append(joined.isEmpty() ? "" : ",").append(list);
  }

  /** All of them as one list; "" without any. */
  String text() {
    return joined.toString();
  }

  boolean isEmpty() {
    return joined.isEmpty();
  }

  /** Whether one of them asks for the list of options. */
  boolean helpWanted() {
    if (joined.isEmpty()) {
      return false;
    }
    Map<String, String> pairs = KeyValues.parse(text());
    return "on".equals(pairs.get("help")) || "on".equals(pairs.get("?"));
  }
}
