package hawser.blk;

/**
 * How a node is shown to the guest.
 *
 * @param queues virtqueues, 1 to 256
 * @param serial what GET_ID answers; at most 20 bytes of ASCII count
 * @param readOnly whether the guest may not write, whatever the node allows
 */
public record BlkOptions(int queues, String serial, boolean readOnly) {
  /** One queue, writable, without a name. */
  public static final BlkOptions DEFAULT = new BlkOptions(1, "", false);
}
