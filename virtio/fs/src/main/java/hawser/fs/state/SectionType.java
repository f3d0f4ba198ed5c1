package hawser.fs.state;

import org.jspecify.annotations.Nullable;

/** The sections of a state in Hawser's form, with their numbers. */
enum SectionType {
  SETTINGS(1),
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

  static @Nullable SectionType of(int number) {
    for (SectionType type : values()) {
      if (type.number == number) {
        return type;
      }
    }
    return null;
  }
}
