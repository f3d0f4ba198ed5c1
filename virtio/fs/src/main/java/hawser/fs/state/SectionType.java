package hawser.fs.state;

import org.jspecify.annotations.Nullable;

/** The sections of a state in Hawser's form, with their numbers. */
enum SectionType {
  SETTINGS(1),
  /** Not required: it came later than the others. */
  OPTIONS(7),
  INODES(2),
  CONTENT(3),
  ATTRIBUTES(4),
  FILES(5),
  LOCKS(6),
  END(0xffff);

  final int number;

  SectionType(int number) {
    this.number = number;
  }

  /** Whether a reader that does not know it must refuse the state. */
  boolean required() {
    return this != OPTIONS;
  }

  static @Nullable SectionType of(int number) {
    for (SectionType type : values()) {
      if (type.number == number) {
        return type;
      }
    }
    return null;
  }
}
