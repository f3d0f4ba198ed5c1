package hawser.base.json;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Prints JSON to the byte as QEMU's tools do. Members come in the order of QEMU's dictionary: by
 * hash bucket, and within a bucket the newest first. Seen in QEMU 10.0.2's output of info, check
 * and snapshot objects.
 */
public final class QemuJson {
  private static final int BUCKETS = 512;

  private QemuJson() {}

  /** On one line: {@code {"a": 1, "b": [2, 3]}}. */
  public static String compact(Json value) {
    var out = new StringBuilder();
    print(value, out, -1);
    return out.toString();
  }

  /** Over several lines, four spaces a level, as {@code --output=json} prints. */
  public static String pretty(Json value) {
    var out = new StringBuilder();
    print(value, out, 0);
    return out.toString();
  }

  private static void print(Json value, StringBuilder out, int level) {
    // Not a switch over the types: making one at run time costs a short command 10 ms.
    if (value instanceof Json.Obj(Map<String, Json> members)) {
      printObject(members, out, level);
    } else if (value instanceof Json.Arr(List<Json> items)) {
      printArray(items, out, level);
    } else if (value instanceof Json.Str(String text)) {
      quote(text, out);
    } else if (value instanceof Json.Num(var number)) {
      out.append(number.toPlainString());
    } else if (value instanceof Json.Bool(boolean truth)) {
      out.append(truth);
    } else {
      out.append("null");
    }
  }

  private static void printArray(List<Json> items, StringBuilder out, int level) {
    out.append('[');
    String separator = "";
    for (Json item : items) {
      out.append(separator);
      newLine(out, deeper(level));
      print(item, out, deeper(level));
      separator = level < 0 ? ", " : ",";
    }
    newLine(out, level);
    out.append(']');
  }

  private static void printObject(Map<String, Json> members, StringBuilder out, int level) {
    out.append('{');
    String separator = "";
    for (var member : inQemuOrder(members)) {
      out.append(separator);
      newLine(out, deeper(level));
      quote(member.getKey(), out);
      out.append(": ");
      print(member.getValue(), out, deeper(level));
      separator = level < 0 ? ", " : ",";
    }
    newLine(out, level);
    out.append('}');
  }

  private static int deeper(int level) {
    return level < 0 ? -1 : level + 1;
  }

  private static void newLine(StringBuilder out, int level) {
    if (level >= 0) {
      out.append('\n').repeat("    ", level);
    }
  }

  /** The members of an object in the order in which QEMU's dictionary gives them out. */
  public static List<Map.Entry<String, Json>> inQemuOrder(Map<String, Json> members) {
    var entries = new ArrayList<Map.Entry<String, Json>>(members.size());
    for (var entry : members.entrySet()) {
      int bucket = bucket(entry.getKey());
      int at = 0;
      while (at < entries.size() && bucket(entries.get(at).getKey()) < bucket) {
        at++;
      }
      entries.add(at, entry);
    }
    return entries;
  }

  /** The bucket of a key in QEMU's dictionary; all arithmetic is modulo 2^32. */
  static int bucket(String key) {
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    int hash = 0x238F13AF * bytes.length;
    for (int i = 0; i < bytes.length; i++) {
      hash += (bytes[i] & 0xff) << ((i * 5) % 24);
    }
    return Integer.remainderUnsigned(1103515243 * hash + 12345, BUCKETS);
  }

  /** Escapes as QEMU does: everything outside printable ASCII becomes a \\u escape. */
  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c >= 0x20 && c < 0x7f) {
            out.append(c);
          } else {
            out.append("\\u%04X".formatted((int) c));
          }
        }
      }
    }
    out.append('"');
  }
}
