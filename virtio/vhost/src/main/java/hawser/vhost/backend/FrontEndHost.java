package hawser.vhost.backend;

import hawser.base.PeerFault;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.SharedMapping;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The front-end as its back-end reaches it, once it listens (vhost-user, "Back-end communication").
 * Safe from any thread.
 */
final class FrontEndHost implements DeviceHost, AutoCloseable {
  private final SharedMappings mappings;
  private final Consumer<String> log;
  private volatile long protocol;
  private volatile @Nullable BackEndChannel channel;

  FrontEndHost(Device device, Consumer<String> log) {
    this.mappings =
        new SharedMappings(device instanceof SharesMemory some ? some.sharedMemory() : new long[0]);
    this.log = log;
  }

  /** The protocol features that both sides have agreed to. */
  void agreed(long features) {
    protocol = features;
  }

  /** The front-end listens on a connected descriptor from now on. */
  void listen(int fd) {
    BackEndChannel before = channel;
    channel = new BackEndChannel(fd, ProtocolFeature.REPLY_ACK.in(protocol));
    if (before != null) {
      before.close();
    }
  }

  /** The front-end has unmapped everything. */
  void reset() {
    mappings.clear();
  }

  @Override
  public void configChanged() {
    tell(new BackEndMessage.ConfigChangeMsg());
  }

  @Override
  public boolean map(SharedMapping mapping, int descriptor) {
    mappings.add(mapping);
    boolean done = ask(ProtocolFeature.SHMEM, new BackEndMessage.ShmemMap(mapping), descriptor);
    if (!done) {
      mappings.remove(mapping);
    }
    return done;
  }

  @Override
  public boolean unmap(SharedMapping mapping) {
    mappings.remove(mapping);
    return ask(ProtocolFeature.SHMEM, new BackEndMessage.ShmemUnmap(mapping));
  }

  @Override
  public boolean addSharedObject(UUID uuid) {
    return ask(ProtocolFeature.SHARED_OBJECT, new BackEndMessage.SharedObjectAdd(uuid));
  }

  @Override
  public boolean removeSharedObject(UUID uuid) {
    return ask(ProtocolFeature.SHARED_OBJECT, new BackEndMessage.SharedObjectRemove(uuid));
  }

  @Override
  public int lookUpSharedObject(UUID uuid) {
    BackEndChannel open = channel;
    return open == null || !ProtocolFeature.SHARED_OBJECT.in(protocol)
        ? Descriptors.NONE
        : open.askForDescriptor(new BackEndMessage.SharedObjectLookup(uuid));
  }

  /** Asks the front-end, if it has agreed and listens. */
  private boolean ask(ProtocolFeature feature, BackEndMessage message, int... descriptors) {
    BackEndChannel open = channel;
    return open != null && feature.in(protocol) && open.ask(message, descriptors);
  }

  /** Tells the front-end, if it listens. */
  void tell(BackEndMessage message) {
    BackEndChannel open = channel;
    if (open == null) {
      return;
    }
    try {
      boolean _ = open.ask(message);
    } catch (PeerFault e) {
      // The front-end's own connection says whether it is gone.
      log.accept("%s: %s".formatted(message, e.getMessage()));
    }
  }

  /** A translation is missing; the answer is a message of its own. */
  void missed(long iova, int permission) {
    BackEndChannel open = channel;
    if (open != null) {
      open.tell(
          new BackEndMessage.IotlbMsg(
              new IotlbEntry(iova, 0, 0, permission, IotlbEntry.Type.MISS)));
    }
  }

  /** Wakes whoever waits for an answer. */
  void shutdown() {
    BackEndChannel open = channel;
    if (open != null) {
      open.shutdown();
    }
  }

  @Override
  public void close() {
    BackEndChannel open = channel;
    if (open != null) {
      open.close();
    }
  }
}
