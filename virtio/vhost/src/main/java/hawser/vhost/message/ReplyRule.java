package hawser.vhost.message;

/** When a request is answered. */
public enum ReplyRule {
  /** By a reply of its own, always. */
  ALWAYS,
  /** By a reply of its own with {@link ProtocolFeature#LOG_SHMFD}, asked for or not. */
  WITH_LOG_SHMFD,
  /** By a number, 0 for success, and only if the header asks and REPLY_ACK is agreed. */
  WHEN_ASKED
}
