package hawser.testkit.fuse;

import java.nio.ByteBuffer;

/** struct fuse_entry_out: what a name leads to. Validities are in nanoseconds. */
public record Entry(
    long node, long generation, long entryValid, long attributesValid, Attributes attributes) {
  private static final long SECOND = 1_000_000_000L;

  static Entry read(ByteBuffer in) {
    long node = in.getLong();
    long generation = in.getLong();
    long entrySeconds = in.getLong();
    long attributesSeconds = in.getLong();
    long entryValid = entrySeconds * SECOND + in.getInt();
    long attributesValid = attributesSeconds * SECOND + in.getInt();
    return new Entry(node, generation, entryValid, attributesValid, Attributes.read(in));
  }
}
