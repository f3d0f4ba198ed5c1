package hawser.fs.state;

import org.jspecify.annotations.Nullable;

/** The kinds of {@link Location} as they are written. */
enum LocationTag {
  ROOT(0),
  NAMED(1),
  AT_PATH(2),
  BY_HANDLE(3),
  HIDDEN(4),
  EMBEDDED(5),
  LOST(6);

  final int number;

  LocationTag(int number) {
    this.number = number;
  }

  static @Nullable LocationTag of(int number) {
    for (LocationTag tag : values()) {
      if (tag.number == number) {
        return tag;
      }
    }
    return null;
  }
}
