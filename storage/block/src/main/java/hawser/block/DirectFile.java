package hawser.block;

/**
 * A way past the page cache for callers that keep many requests under way themselves, such as an
 * io_uring: the descriptor of the file whose bytes a node has, at the node's own offsets. Requests
 * must be aligned, inside the disk, and must not go on after the node is closed. Safe from any
 * thread.
 */
public interface DirectFile {
  /** The descriptor, opened with O_DIRECT; stays the node's. */
  int descriptor();

  /** Offsets and lengths must be multiples of {@link Limits#alignment}, addresses of the other. */
  Limits limits();

  /** The {@code RWF_} flags of a write with these flags of the node's. */
  int writeFlags(int flags);

  /** Announces a write; 0 when it has to go through the node instead. */
  long beginWrite(long offset, long length);

  /** Says that the write which {@link #beginWrite} gave this number to is over. */
  void endWrite(long number);
}
