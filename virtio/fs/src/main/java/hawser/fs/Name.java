package hawser.fs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A name, a path or a link's target as Linux has it: bytes without a NUL, in no particular
 * encoding. Immutable as long as nobody changes the array it was made of.
 */
public final class Name {
  /** Bytes of a path at most, without the NUL at its end (PATH_MAX). */
  public static final int PATH_BYTES_MAX = 4095;

  private final byte[] bytes;

  /** The name these bytes make, which the caller must not change any more. */
  public Name(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The name that this text makes in UTF-8. */
  public static Name of(String text) {
    return new Name(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Its bytes, not to be changed. */
  public byte[] bytes() {
    return bytes;
  }

  /** How many bytes it has. */
  public int length() {
    return bytes.length;
  }

  /** Whether it names the directory itself or the one above. */
  public boolean isDots() {
    return bytes.length <= 2
        && bytes.length > 0
        && bytes[0] == '.'
        && bytes[bytes.length - 1] == '.';
  }

  /** Whether it can name a file in a directory: not empty, no slash, no dots. */
  public boolean isComponent() {
    if (bytes.length == 0 || isDots()) {
      return false;
    }
    for (byte b : bytes) {
      if (b == '/' || b == 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether it starts with all of another. */
  public boolean startsWith(Name start) {
    int length = start.bytes.length;
    return length <= bytes.length && Arrays.equals(bytes, 0, length, start.bytes, 0, length);
  }

  /** It, with another behind it. */
  public Name with(Name end) {
    byte[] both = Arrays.copyOf(bytes, bytes.length + end.bytes.length);
    System.arraycopy(end.bytes, 0, both, bytes.length, end.bytes.length);
    return new Name(both);
  }

  /** What is left of it without its start. */
  public Name without(Name start) {
    return new Name(Arrays.copyOfRange(bytes, start.bytes.length, bytes.length));
  }

  /** The names that a path consists of. */
  public List<Name> components() {
    var names = new ArrayList<Name>();
    int start = 0;
    for (int i = 0; i <= bytes.length; i++) {
      if (i == bytes.length || bytes[i] == '/') {
        if (i > start) {
          names.add(new Name(Arrays.copyOfRange(bytes, start, i)));
        }
        start = i + 1;
      }
    }
    return names;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Name name && Arrays.equals(bytes, name.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** For people: bytes that are no printable ASCII or UTF-8 letters appear as {@code \xNN}. */
  @Override
  public String toString() {
    String text = new String(bytes, StandardCharsets.UTF_8);
    boolean readable =
        Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)
            && text.chars().noneMatch(Character::isISOControl);
    return readable ? text : escaped();
  }

  private String escaped() {
    var text = new StringBuilder();
    for (byte b : bytes) {
      if (b >= ' ' && b < 0x7f) {
        text.append((char) b);
      } else {
        text.append("\\x%02x".formatted(b));
      }
    }
    return text.toString();
  }
}
