package hawser.tools.io;

import hawser.base.json.Json;
import java.util.Map;

/** Prints what a driver says of its own image as lines of {@code name: value}. */
final class SpecificInfo {
  private SpecificInfo() {}

  static String text(Json.Obj specific) {
    var out = new StringBuilder("Format specific information:\n");
    if (specific.members().get("data") instanceof Json.Obj(Map<String, Json> members)) {
      members.forEach((name, value) -> line(out, 4, name, value));
    }
    return out.toString();
  }

  private static void line(StringBuilder out, int indent, String name, Json value) {
    out.repeat(' ', indent).append(name.replace('-', ' ')).append(':');
    switch (value) {
      case Json.Obj(Map<String, Json> members) -> {
        out.append('\n');
        members.forEach((inner, one) -> line(out, indent + 4, inner, one));
      }
      case Json.Arr(var items) -> {
        out.append('\n');
        for (int i = 0; i < items.size(); i++) {
          line(out, indent + 4, "[" + i + "]", items.get(i));
        }
      }
      case Json.Str(String text) -> out.append(' ').append(text).append('\n');
      case Json.Num(var number) -> out.append(' ').append(number.toPlainString()).append('\n');
      case Json.Bool(boolean truth) -> out.append(' ').append(truth).append('\n');
      case Json.Null() -> out.append(" null\n");
    }
  }
}
