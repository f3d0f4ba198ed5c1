package hawser.block;

import org.jspecify.annotations.Nullable;

/**
 * One option that a driver understands when it makes a new image.
 *
 * @param name as QEMU spells it: {@code cluster_size}
 * @param kind what values it takes
 * @param standard the value it has when nobody gives one, as QEMU prints it; null when there is
 *     none
 * @param text what it is, in a few words
 */
public record CreateOption(String name, Kind kind, @Nullable String standard, String text) {
  /** What values an option takes. */
  public enum Kind {
    /** Any text. */
    TEXT("str"),
    /** on or off. */
    SWITCH("bool (on/off)"),
    /** A whole number. */
    NUMBER("num"),
    /** Bytes, suffixes allowed. */
    SIZE("size");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** What help calls it. */
    public String label() {
      return label;
    }
  }

  /** An option without a value of its own. */
  public static CreateOption of(String name, Kind kind, String text) {
    return new CreateOption(name, kind, null, text);
  }

  /** The virtual size; every format has it. */
  public static CreateOption size() {
    return of("size", Kind.SIZE, "Virtual disk size");
  }
}
