package hawser.block;

import java.util.Locale;
import java.util.Optional;

/** How much of a new image's room is taken at once. */
public enum Preallocation {
  /** Nothing. */
  OFF,
  /** The format's tables. */
  METADATA,
  /** All blocks, without writing them. */
  FALLOC,
  /** All blocks, by writing zeroes. */
  FULL;

  /** By QEMU's name: off, metadata, falloc, full. */
  public static Optional<Preallocation> named(String name) {
    for (Preallocation one : values()) {
      if (one.toString().equals(name)) {
        return Optional.of(one);
      }
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
