package hawser.vhost.message;

import java.util.UUID;

/**
 * What the back-end asks on its own channel, one record for each of {@link BackEndCode}. Answered
 * only if the header asks and REPLY_ACK is agreed.
 */
public sealed interface BackEndMessage {
  record IotlbMsg(IotlbEntry entry) implements BackEndMessage {}

  record ConfigChangeMsg() implements BackEndMessage {}

  /** A doorbell page for a vring; comes with a descriptor unless the page is taken back. */
  record VringHostNotifierMsg(VringDescriptor vring, long size, long offset)
      implements BackEndMessage {}

  record VringCall(int vring) implements BackEndMessage {}

  record VringErr(int vring) implements BackEndMessage {}

  record SharedObjectAdd(UUID uuid) implements BackEndMessage {}

  record SharedObjectRemove(UUID uuid) implements BackEndMessage {}

  record SharedObjectLookup(UUID uuid) implements BackEndMessage {}

  record ShmemMap(SharedMapping mapping) implements BackEndMessage {}

  record ShmemUnmap(SharedMapping mapping) implements BackEndMessage {}
}
