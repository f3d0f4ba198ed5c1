package hawser.block.convert;

/** Sees how a long operation goes, and can end it. Called from worker threads, one at a time. */
public interface Watcher {
  /** Nobody looks. */
  Watcher NOBODY = (done, total) -> {};

  /** {@code done} of {@code total} bytes are dealt with; never goes back. */
  void progress(long done, long total);

  /** Whether to stop as soon as possible; asked between chunks. */
  default boolean cancelled() {
    return false;
  }

  /** Something a person should know that does not end the operation. */
  default void warn(String message) {}
}
