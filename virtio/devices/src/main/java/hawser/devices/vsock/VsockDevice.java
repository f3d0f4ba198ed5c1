package hawser.devices.vsock;

import hawser.base.BlockFault;
import hawser.devices.Inbox;
import hawser.devices.Told;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.DeviceHost;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SavesState;
import hawser.vhost.ring.Chain;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The virtio socket device with streams, whose other ends are unix sockets of the host's. When a
 * guest has migrated, its connections are reset: their other ends are where it came from.
 */
public final class VsockDevice implements Device, SavesState {
  private static final int RX = 0;
  private static final int TX = 1;

  /** struct virtio_vsock_event with VIRTIO_VSOCK_EVENT_TRANSPORT_RESET. */
  private static final byte[] TRANSPORT_RESET = new byte[4];

  private final Inbox<byte[]> events = new Inbox<>(1);
  private final Bridge bridge;
  private final Switchboard switchboard;

  private VsockDevice(Bridge bridge) {
    this.bridge = bridge;
    this.switchboard = bridge.switchboard();
  }

  /**
   * Listens for the host's side.
   *
   * @throws BlockFault when the guest's socket cannot be made; its file stays the caller's to
   *     remove
   */
  public static VsockDevice listen(VsockOptions options) throws BlockFault {
    return new VsockDevice(Bridge.listen(options));
  }

  @Override
  public int virtioId() {
    return 19;
  }

  @Override
  public String name() {
    return "vsock";
  }

  /** None: a device without VIRTIO_VSOCK_F_STREAM and F_SEQPACKET has streams. */
  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queues() {
    return 3;
  }

  @Override
  public ByteBuffer config() {
    return switchboard.config();
  }

  /** Connections are a front-end's; those of the one before are over. */
  @Override
  public void attach(DeviceHost host) {
    reset();
  }

  @Override
  public void reset() {
    switchboard.forget();
    events.clear();
  }

  @Override
  public QueueHandler open(int queue) {
    return switch (queue) {
      case RX -> new Receive();
      case TX -> new Transmit();
      default -> new Told(events);
    };
  }

  @Override
  public void save(OutputStream to) throws IOException {
    SavedStreams.write(switchboard.ports(), to);
  }

  @Override
  public void load(InputStream from) throws IOException {
    List<int[]> ports = SavedStreams.read(from);
    reset();
    switchboard.refuse(ports);
    boolean _ = events.put(TRANSPORT_RESET);
  }

  /** Ends all connections. */
  @Override
  public void close() {
    events.close();
    bridge.close();
  }

  /** The guest's buffers for what it is told. */
  private final class Receive implements QueueHandler {
    @Override
    public boolean wants() {
      return switchboard.hasSomething();
    }

    @Override
    public void handle(Chain chain) {
      chain.complete(switchboard.give(chain));
    }

    @Override
    public int event() {
      return switchboard.toTell();
    }
  }

  /** The guest's packets. */
  private final class Transmit implements QueueHandler {
    @Override
    public boolean wants() {
      return switchboard.hasRoom();
    }

    @Override
    public void handle(Chain chain) {
      switchboard.take(chain);
      chain.complete(0);
    }

    @Override
    public int event() {
      return switchboard.roomAgain();
    }
  }
}
