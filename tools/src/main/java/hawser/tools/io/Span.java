package hawser.tools.io;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The range of a request in one piece, in bytes. */
record Span(long offset, long bytes) {
  /** Reads {@code OFFSET LENGTH}; empty after a complaint. */
  static Optional<Span> of(List<String> operands, Words words) {
    return of(operands, words, "");
  }

  /**
   * The same.
   *
   * @param without what the complaint of a length above the limit says besides
   */
  static Optional<Span> of(List<String> operands, Words words, String without) {
    Optional<Span> span = unbounded(operands, words);
    if (span.isPresent() && span.get().bytes > Words.REQUEST_BYTES_MAX) {
      words.complain(
          "length cannot exceed %d%s, given %s"
              .formatted(Words.REQUEST_BYTES_MAX, without, operands.get(1)));
      return Optional.empty();
    }
    return span;
  }

  /** The same without a limit. */
  static Optional<Span> unbounded(List<String> operands, Words words) {
    if (operands.size() != 2) {
      words.usage();
      return Optional.empty();
    }
    OptionalLong offset = words.number(operands.get(0));
    OptionalLong bytes = offset.isPresent() ? words.number(operands.get(1)) : offset;
    return bytes.isPresent()
        ? Optional.of(new Span(offset.getAsLong(), bytes.getAsLong()))
        : Optional.empty();
  }
}
