package hawser.block.convert;

/**
 * A piece of work.
 *
 * @param turn its place in the order of the target, from 0, without gaps
 * @param offset first byte, in source and target alike
 * @param length bytes
 * @param action what is to be done with it
 */
record Chunk(long turn, long offset, long length, Action action) {
  /** What is to be done with a range. */
  enum Action {
    /** Read, look for zeroes, write. */
    COPY,
    /** Make the target read as zeroes. */
    ZERO,
    /** Nothing: the target reads the right bytes already. */
    SKIP
  }
}
