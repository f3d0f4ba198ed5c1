package hawser.block;

/** What a check may change. */
public enum Repair {
  /** Nothing. */
  NOTHING,
  /** Room that nobody refers to is freed. */
  LEAKS,
  /** Everything that can be put right. */
  ALL
}
