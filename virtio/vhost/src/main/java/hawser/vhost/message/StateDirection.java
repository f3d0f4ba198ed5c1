package hawser.vhost.message;

/**
 * Which way the internal state of a device goes (vhost-user, "Device state transfer parameters").
 */
public enum StateDirection {
  /** Out of the back-end. */
  SAVE(0),
  /** Into the back-end. */
  LOAD(1);

  /** Its number on the wire. */
  public final int number;

  StateDirection(int number) {
    this.number = number;
  }
}
