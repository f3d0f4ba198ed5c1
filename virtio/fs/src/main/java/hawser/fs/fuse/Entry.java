package hawser.fs.fuse;

import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * What a name leads to (struct fuse_entry_out). Each one that is answered counts as one lookup of
 * the inode, until it is forgotten.
 *
 * @param nodeId the inode; 0 for a name that is known not to exist
 * @param generation tells inodes of the same {@code nodeId} apart
 * @param entryValid how long the kernel may believe that the name leads there
 * @param attributesValid how long it may believe the attributes
 */
public record Entry(
    long nodeId, long generation, Time entryValid, Time attributesValid, Attributes attributes) {
  /** Bytes of the structure. */
  public static final int BYTES = 40 + Attributes.BYTES;

  /** Writes the structure. */
  public void write(MemorySegment out, long at) {
    out.set(LE64, at, nodeId);
    out.set(LE64, at + 8, generation);
    out.set(LE64, at + 16, entryValid.seconds());
    out.set(LE64, at + 24, attributesValid.seconds());
    out.set(LE32, at + 32, entryValid.nanos());
    out.set(LE32, at + 36, attributesValid.nanos());
    attributes.write(out, at + 40);
  }
}
