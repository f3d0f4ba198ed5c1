package hawser.fs.xattr;

import hawser.fs.Name;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads rules for names of extended attributes (virtiofsd, "Mapping syntax"): {@code
 * :type:scope:key:prepend:} or {@code :map:key:prepend:}, with any character for the colon and
 * white space around each rule. Its complaints are virtiofsd's.
 */
final class XattrMapReader {
  private static final Name NOTHING = Name.of("");

  private final String text;
  private final List<XattrRule> rules = new ArrayList<>();
  private int at;

  XattrMapReader(String text) {
    this.text = text.strip();
  }

  List<XattrRule> read() {
    while (at < text.length()) {
      if (isSpace(text.charAt(at))) {
        at++;
      } else {
        readRule();
      }
    }
    if (rules.isEmpty()) {
      throw new IllegalArgumentException("Error { cause: NoRulesProvided, rule: None }");
    }
    return rules;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r' && c != 0x0b);
  }

  private void readRule() {
    int separator = text.codePointAt(at);
    at += Character.charCount(separator);
    String type = field(separator);
    switch (type) {
      case "map" -> {
        Name key = Name.of(field(separator));
        Name prepend = Name.of(field(separator));
        if (at < text.length()) {
          throw refused("MapRuleViolation");
        }
        addMap(key, prepend);
      }
      case "prefix" -> readScoped(XattrRule.Type.PREFIX, separator);
      case "ok" -> readScoped(XattrRule.Type.OK, separator);
      case "bad" -> readScoped(XattrRule.Type.BAD, separator);
      case "unsupported" -> readScoped(XattrRule.Type.UNSUPPORTED, separator);
      default -> throw refused(unexpected("InvalidType", type, "prefix, ok, bad, map"));
    }
  }

  private void readScoped(XattrRule.Type type, int separator) {
    String scope = field(separator);
    boolean all = scope.equals("all");
    boolean guest = all || scope.equals("client");
    boolean host = all || scope.equals("server");
    if (!guest && !host) {
      throw refused(unexpected("InvalidScope", scope, "all, client, server"));
    }
    Name key = Name.of(field(separator));
    rules.add(new XattrRule(type, guest, host, key, Name.of(field(separator))));
  }

  private static String unexpected(String what, String got, String expected) {
    return "%s { got: \"%s\", expected: \"%s\" }".formatted(what, got, expected);
  }

  /** The text up to the next separator, which is passed. */
  private String field(int separator) {
    int end = text.indexOf(separator, at);
    if (end < 0) {
      throw refused("IncompleteRule");
    }
    String field = text.substring(at, end);
    at = end + Character.charCount(separator);
    return field;
  }

  private IllegalArgumentException refused(String cause) {
    return new IllegalArgumentException(
        "Error { cause: %s, rule: Some(%d) }".formatted(cause, rules.size() + 1));
  }

  /**
   * The rules that {@code map} stands for. Where it takes some names only, the host's of that kind
   * are hidden, and the guest must not reach what it puts in front by naming that itself.
   */
  private void addMap(Name key, Name prepend) {
    rules.add(new XattrRule(XattrRule.Type.PREFIX, true, true, key, prepend));
    boolean some = key.length() > 0;
    if (some) {
      rules.add(new XattrRule(XattrRule.Type.BAD, true, true, prepend, key));
    }
    rules.add(
        new XattrRule(some ? XattrRule.Type.OK : XattrRule.Type.BAD, true, true, NOTHING, NOTHING));
  }
}
