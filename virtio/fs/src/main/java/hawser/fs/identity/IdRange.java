package hawser.fs.identity;

/**
 * Numbers of users or groups in a row, and what becomes of them. Numbers are unsigned 32-bit ones.
 *
 * @param first the first one
 * @param count how many
 * @param to what the first one becomes
 * @param kind how
 */
record IdRange(long first, long count, long to, Kind kind) {
  /** What becomes of a range. */
  enum Kind {
    /** It becomes a range of the same length. */
    SHIFTED,
    /** All of it becomes one number. */
    SQUASHED,
    /** None of it may be used. */
    FORBIDDEN
  }

  /** The first number behind the range. */
  long end() {
    return first + count;
  }

  boolean contains(long id) {
    return id >= first && id < end();
  }

  /** What a number becomes that it contains. */
  long translated(long id) {
    return kind == Kind.SHIFTED ? to + (id - first) : to;
  }

  boolean overlaps(IdRange other) {
    return first < other.end() && other.first < end();
  }

  @Override
  public String toString() {
    return switch (kind) {
      case SHIFTED -> "map [%d, %d) to [%d, %d)".formatted(first, end(), to, to + count);
      case SQUASHED -> "squash [%d, %d) to %d".formatted(first, end(), to);
      case FORBIDDEN -> "fail [%d, %d)".formatted(first, end());
    };
  }
}
