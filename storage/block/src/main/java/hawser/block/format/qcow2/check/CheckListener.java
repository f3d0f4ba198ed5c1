package hawser.block.format.qcow2.check;

/**
 * Follows a check. All methods are called by the thread that runs the check, in order; a method
 * that takes long delays the check.
 */
@FunctionalInterface
public interface CheckListener {
  /** Hears nothing. */
  CheckListener SILENT = text -> {};

  /**
   * One finding, in the words and the order in which {@code qemu-img check} prints them on its
   * error stream, the program's name in front of some included.
   */
  void line(String text);

  /**
   * How far it is.
   *
   * @param done tables and refcount pages looked at, 0 to {@code total}
   * @param total how many there are; may still grow
   */
  default void progress(long done, long total) {}

  /** Whether to stop; the check then ends with a {@code BlockFault} of ECANCELED. */
  default boolean cancelled() {
    return false;
  }
}
