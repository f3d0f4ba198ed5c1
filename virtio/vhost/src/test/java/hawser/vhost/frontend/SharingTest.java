package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.Stat;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.DeviceHost;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SharesMemory;
import hawser.vhost.backend.SharesObjects;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.SharedMapping;
import hawser.vhost.ring.Chain;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Memory and objects of a device that others use (vhost-user, SHMEM and SHARED_OBJECT). */
class SharingTest {
  private static final UUID KNOWN = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
  private static final UUID UNKNOWN = new UUID(1, 2);
  private static final long PAGE = 4096;
  private static final long PROTOCOL = DriverPlan.PROTOCOL_ALL | ProtocolFeature.SHMEM.mask;

  /** Has three regions, the second unused, and one object. */
  private static final class Sharing implements Device, SharesMemory, SharesObjects {
    private volatile DeviceHost host = () -> {};
    private final SharedFile object;

    Sharing() throws BlockFault {
      object = SharedFile.create("object", PAGE);
    }

    @Override
    public int virtioId() {
      return 42;
    }

    @Override
    public String name() {
      return "sharing";
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public void attach(DeviceHost newHost) {
      host = newHost;
    }

    @Override
    public long[] sharedMemory() {
      return new long[] {16 * PAGE, 0, PAGE};
    }

    @Override
    public int sharedObject(UUID uuid) {
      return uuid.equals(KNOWN)
          ? (int) FileCalls.open("/proc/self/fd/" + object.descriptor(), FileCalls.O_RDWR, 0)
          : Descriptors.NONE;
    }

    @Override
    public QueueHandler open(int queue) {
      return (Chain chain) -> chain.complete(0);
    }

    @Override
    public void close() {
      object.close();
    }
  }

  /** The front-end's end: what it heard, and of what files. */
  private static final class Heard implements BackEndListener {
    private final List<BackEndMessage> messages = new ArrayList<>();
    private final List<Long> inodes = new ArrayList<>();
    private boolean refusing;

    @Override
    public synchronized Answer answer(BackEndMessage message, Descriptors descriptors) {
      messages.add(message);
      try (var file = new Descriptors(descriptors.takeOrNone())) {
        inodes.add(file.peek() < 0 ? 0 : inode(file.peek()));
      }
      if (message instanceof BackEndMessage.SharedObjectLookup(UUID uuid)) {
        return new Answer(
            0,
            uuid.equals(KNOWN)
                ? (int) FileCalls.open("/dev/null", FileCalls.O_RDWR, 0)
                : Descriptors.NONE);
      }
      return refusing ? Answer.REFUSED : Answer.OK;
    }
  }

  private static long inode(int descriptor) {
    try {
      return Stat.of(descriptor, "shared").inode();
    } catch (BlockFault e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void filesAppearInTheDevicesMemory() throws Exception {
    var heard = new Heard();
    try (var device = new Sharing();
        var served = new Served(device);
        GuestRam ram = GuestRam.of(1 << 18);
        Driver driver =
            Driver.start(
                served.frontEnd(),
                ram,
                DriverPlan.of(DriverPlan.SPLIT).withProtocol(PROTOCOL).withListener(heard))) {
      assertThat(driver.frontEnd().getShmemConfig()).containsExactly(16 * PAGE, 0, PAGE);
      var mapping = new SharedMapping(0, PAGE, 2 * PAGE, 3 * PAGE, SharedMapping.WRITABLE);
      int file = device.object.descriptor();
      assertThat(device.host.map(mapping, file)).isTrue();
      var overlapping = new SharedMapping(0, 0, 4 * PAGE, PAGE, 0);
      assertThatThrownBy(() -> device.host.map(overlapping, file))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("overlaps");
      for (SharedMapping outside :
          List.of(
              new SharedMapping(0, 0, 15 * PAGE, 2 * PAGE, 0),
              new SharedMapping(1, 0, 0, PAGE, 0),
              new SharedMapping(3, 0, 0, PAGE, 0),
              new SharedMapping(0, 0, 0, 0, 0))) {
        assertThatThrownBy(() -> device.host.map(outside, file))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThat(device.host.unmap(mapping)).isTrue();
      assertThatThrownBy(() -> device.host.unmap(mapping))
          .isInstanceOf(IllegalArgumentException.class);
      heard.refusing = true;
      assertThat(device.host.map(mapping, file)).isFalse();
      heard.refusing = false;
      assertThat(device.host.map(mapping, file)).isTrue();
      driver.frontEnd().resetDevice();
      assertThat(device.host.map(overlapping, file)).isTrue();
      assertThat(heard.messages)
          .containsExactly(
              new BackEndMessage.ShmemMap(mapping),
              new BackEndMessage.ShmemUnmap(mapping),
              new BackEndMessage.ShmemMap(mapping),
              new BackEndMessage.ShmemMap(mapping),
              new BackEndMessage.ShmemMap(overlapping));
      long inode = inode(file);
      assertThat(heard.inodes).containsExactly(inode, 0L, inode, inode, inode);
    }
  }

  @Test
  void objectsAreAnnouncedAndFound() throws Exception {
    var heard = new Heard();
    try (var device = new Sharing();
        var served = new Served(device);
        GuestRam ram = GuestRam.of(1 << 18);
        Driver driver =
            Driver.start(
                served.frontEnd(),
                ram,
                DriverPlan.of(DriverPlan.SPLIT).withProtocol(PROTOCOL).withListener(heard))) {
      assertThat(device.host.addSharedObject(KNOWN)).isTrue();
      try (var found = new Descriptors(driver.frontEnd().getSharedObject(KNOWN))) {
        assertThat(inode(found.peek())).isEqualTo(inode(device.object.descriptor()));
      }
      assertThat(driver.frontEnd().getSharedObject(UNKNOWN)).isEqualTo(Descriptors.NONE);
      try (var found = new Descriptors(device.host.lookUpSharedObject(KNOWN))) {
        assertThat(found.peek()).isNotNegative();
      }
      assertThat(device.host.lookUpSharedObject(UNKNOWN)).isEqualTo(Descriptors.NONE);
      assertThat(device.host.removeSharedObject(KNOWN)).isTrue();
      assertThat(heard.messages)
          .containsExactly(
              new BackEndMessage.SharedObjectAdd(KNOWN),
              new BackEndMessage.SharedObjectLookup(KNOWN),
              new BackEndMessage.SharedObjectLookup(UNKNOWN),
              new BackEndMessage.SharedObjectRemove(KNOWN));
    }
  }

  @Test
  void aDeviceThatSharesNothingOffersNothing() throws Exception {
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(1 << 18);
        Driver driver =
            Driver.start(
                served.frontEnd(), ram, DriverPlan.of(DriverPlan.SPLIT).withProtocol(PROTOCOL))) {
      assertThat(ProtocolFeature.SHMEM.in(driver.protocol())).isFalse();
      assertThat(ProtocolFeature.SHARED_OBJECT.in(driver.protocol())).isFalse();
      assertThatThrownBy(() -> driver.frontEnd().getShmemConfig()).isInstanceOf(PeerFault.class);
    }
  }
}
