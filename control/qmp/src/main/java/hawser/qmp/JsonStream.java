package hawser.qmp;

import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Cuts a stream of bytes into JSON values, wherever the pieces that arrive are cut, by the rules of
 * QEMU's parser: values need nothing between them, strings may stand in single quotes, and after a
 * text that is no JSON the stream goes on. A control character or the byte 0xff ends a broken value
 * at once (qmp-spec, "Resynchronization"). Used by one thread.
 */
public final class JsonStream {
  /** The longest text of one value in bytes, as in QEMU. */
  public static final int VALUE_BYTES_MAX = 64 << 20;

  /** The most tokens of one value, as in QEMU: what the tree of a value costs. */
  public static final int TOKENS_MAX = 2 << 20;

  private static final int NOT_UTF_8 = 0xff;

  private static final Pattern SURROGATE = Pattern.compile("\\\\u[dD][89a-fA-F]");

  /** What came out of the stream. */
  public sealed interface Item {
    /** A value. */
    record Value(Json json) implements Item {}

    /** A text that is no JSON; the stream goes on behind it. */
    record Broken(String reason) implements Item {}
  }

  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private final List<Item> items = new ArrayList<>();
  private int depth;
  private int tokens;
  private int quote;
  private boolean escaped;

  /** Whether the last byte before was part of a bare word or number. */
  private boolean inWord;

  /** A stream of which nothing has come yet. */
  public JsonStream() {}

  /** Takes the next bytes; answers what they completed, in order. */
  public List<Item> feed(ByteBuffer bytes) {
    items.clear();
    while (bytes.hasRemaining()) {
      take(Byte.toUnsignedInt(bytes.get()));
    }
    return List.copyOf(items);
  }

  /** Whether a value has begun and not ended. */
  public boolean isInsideValue() {
    return text.size() > 0;
  }

  private void take(int b) {
    if (b == NOT_UTF_8 || (b < ' ' && !isBlank(b))) {
      broken("invalid byte 0x%02x".formatted(b));
    } else if (quote != 0) {
      takeInString(b);
    } else if (isBlank(b) || b == ' ') {
      takeBlank(b);
    } else {
      takeOutside(b);
    }
    if (text.size() > VALUE_BYTES_MAX || tokens > TOKENS_MAX) {
      broken(
          "value of %d bytes and %d tokens: more than %d bytes or %d tokens"
              .formatted(text.size(), tokens, VALUE_BYTES_MAX, TOKENS_MAX));
    }
  }

  private static boolean isBlank(int b) {
    return b == '\t' || b == '\r' || b == '\n';
  }

  private void takeInString(int b) {
    if (isBlank(b)) {
      broken("invalid byte 0x%02x in a string".formatted(b));
      return;
    }
    text.write(b);
    if (escaped) {
      escaped = false;
    } else if (b == '\\') {
      escaped = true;
    } else if (b == quote) {
      quote = 0;
      endIfOutermost();
    }
  }

  private void takeBlank(int b) {
    if (inWord) {
      inWord = false;
      endIfOutermost();
    }
    if (isInsideValue()) {
      text.write(b);
    }
  }

  private void takeOutside(int b) {
    boolean structural = "{}[],:\"'".indexOf(b) >= 0;
    if (structural && inWord) {
      inWord = false;
      endIfOutermost();
    }
    if (structural || !inWord) {
      tokens++;
    }
    text.write(b);
    switch (b) {
      case '"', '\'' -> quote = b;
      case '{', '[' -> {
        depth++;
        if (depth > JsonReader.DEPTH_MAX) {
          broken("nesting depth limit exceeded");
        }
      }
      case '}', ']' -> {
        depth--;
        endIfOutermost();
      }
      case ',', ':' -> endIfOutermost();
      default -> inWord = true;
    }
  }

  /** Ends the value unless an array or object is open. What is out of place the reader names. */
  private void endIfOutermost() {
    if (depth > 0) {
      return;
    }
    byte[] whole = text.toByteArray();
    reset();
    try {
      String decoded =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(whole)).toString();
      items.add(new Item.Value(read(decoded)));
    } catch (CharacterCodingException e) {
      items.add(new Item.Broken("invalid UTF-8: " + e.getMessage()));
    } catch (IllegalArgumentException e) {
      items.add(new Item.Broken(String.valueOf(e.getMessage())));
    }
  }

  private static Json read(String decoded) {
    Json value = readOrRepair(decoded);
    if (SURROGATE.matcher(decoded).find() && hasLoneSurrogate(value)) {
      throw new IllegalArgumentException("half of a surrogate pair in a string");
    }
    return value;
  }

  private static Json readOrRepair(String decoded) {
    try {
      return JsonReader.read(decoded);
    } catch (IllegalArgumentException e) {
      String repaired = withoutBareWords(decoded);
      if (repaired.equals(decoded)) {
        throw e;
      }
      return JsonReader.read(repaired);
    }
  }

  /**
   * QEMU itself prints a double that is too large as a bare inf, which is no JSON: read it as a
   * number that is too large for a double.
   */
  private static String withoutBareWords(String decoded) {
    var out = new StringBuilder(decoded.length());
    int at = 0;
    while (at < decoded.length()) {
      char c = decoded.charAt(at);
      int end = c == '"' || c == '\'' ? endOfString(decoded, at) : endOfWord(decoded, at);
      String piece = decoded.substring(at, end);
      out.append(
          switch (piece) {
            case "inf" -> "1e400";
            case "-inf" -> "-1e400";
            case "nan", "-nan" -> "null";
            default -> piece;
          });
      at = end;
    }
    return out.toString();
  }

  private static int endOfString(String decoded, int start) {
    int at = start + 1;
    while (at < decoded.length() && decoded.charAt(at) != decoded.charAt(start)) {
      at += decoded.charAt(at) == '\\' ? 2 : 1;
    }
    return Math.min(at + 1, decoded.length());
  }

  /** Behind a run of letters and minus signs, or behind one character. */
  private static int endOfWord(String decoded, int start) {
    int at = start;
    while (at < decoded.length()
        && (Character.isLetter(decoded.charAt(at)) || decoded.charAt(at) == '-')) {
      at++;
    }
    return Math.max(at, start + 1);
  }

  private static boolean hasLoneSurrogate(Json value) {
    return switch (value) {
      case Json.Str(String string) -> isTorn(string);
      case Json.Arr(var elements) -> elements.stream().anyMatch(JsonStream::hasLoneSurrogate);
      case Json.Obj(var members) ->
          members.entrySet().stream()
              .anyMatch(member -> isTorn(member.getKey()) || hasLoneSurrogate(member.getValue()));
      default -> false;
    };
  }

  private static boolean isTorn(String string) {
    return string
        .codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  private void broken(String reason) {
    reset();
    items.add(new Item.Broken(reason));
  }

  private void reset() {
    text.reset();
    depth = 0;
    tokens = 0;
    quote = 0;
    escaped = false;
    inWord = false;
  }
}
