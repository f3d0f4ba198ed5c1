package hawser.block;

/**
 * Decides whether a name found inside an image may open another file. An image is a stranger's
 * input: its backing file, data file and {@code json:} names choose what the host opens.
 */
@FunctionalInterface
public interface OpenPolicy {
  /** Opens nothing but what the caller named. For libraries and daemons. */
  OpenPolicy NOTHING = (name, reason) -> false;

  /** Opens whatever an image names, as QEMU's tools do. */
  OpenPolicy ANYTHING = (name, reason) -> true;

  /**
   * Whether to open it.
   *
   * @param name the name as the image has it, resolved against the image's folder
   * @param reason what the image wants it for: {@code backing file}, {@code data file}
   */
  boolean mayOpen(String name, String reason);
}
