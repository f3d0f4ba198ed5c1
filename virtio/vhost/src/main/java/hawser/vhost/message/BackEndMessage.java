package hawser.vhost.message;

import java.util.UUID;

/**
 * What the back-end asks on its own channel, one record for each of {@link BackEndCode}. Answered
 * only if the header asks and REPLY_ACK is agreed.
 */
public sealed interface BackEndMessage {
  /** A translation is missing, or an access failed. */
  record IotlbMsg(IotlbEntry entry) implements BackEndMessage {}

  /** The configuration space has changed. */
  record ConfigChangeMsg() implements BackEndMessage {}

  /** A doorbell page for a vring; comes with a descriptor unless the page is taken back. */
  record VringHostNotifierMsg(VringDescriptor vring, long size, long offset)
      implements BackEndMessage {}

  /** A call as a message. */
  record VringCall(int vring) implements BackEndMessage {}

  /** A vring is broken. */
  record VringErr(int vring) implements BackEndMessage {}

  /** This device owns a shared object. */
  record SharedObjectAdd(UUID uuid) implements BackEndMessage {}

  /** It owns it no more. */
  record SharedObjectRemove(UUID uuid) implements BackEndMessage {}

  /** The descriptor of another device's object is wanted. */
  record SharedObjectLookup(UUID uuid) implements BackEndMessage {}

  /** A part of a file, which comes with a descriptor, appears in a shared memory region. */
  record ShmemMap(SharedMapping mapping) implements BackEndMessage {}

  /** A mapping goes, as a whole. */
  record ShmemUnmap(SharedMapping mapping) implements BackEndMessage {}
}
