package hawser.vhost.ring;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.RingMemory;
import hawser.vhost.frontend.SharedFile;
import hawser.vhost.memory.GuestMemory;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.VirtioFeature;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** One ring from the driver's side and from the device's, in one process, without a socket. */
final class BothSides implements AutoCloseable {
  private final long features;
  private final int size;
  final GuestRam ram;
  final GuestMemory memory = new GuestMemory();
  final DriverQueue driver;
  private final SharedFile record;
  DeviceRing device;

  BothSides(GuestRam ram, int size, long features, int tableEntries) throws BlockFault {
    this.ram = ram;
    this.features = features;
    this.size = size;
    this.driver = DriverQueue.create(3, ram, size, features, tableEntries);
    this.record = SharedFile.create("record", PackedInflight.bytes(size));
    share();
    this.device = device(null);
  }

  private void share() {
    List<MemoryRegion> regions = new ArrayList<>();
    int[] files = new int[ram.count()];
    for (int i = 0; i < ram.count(); i++) {
      regions.add(ram.region(i));
      String path = "/proc/self/fd/" + ram.descriptor(i);
      files[i] = (int) FileCalls.open(path, FileCalls.O_RDWR, 0);
    }
    memory.replace(regions, new Descriptors(files));
  }

  boolean packed() {
    return (features & VirtioFeature.RING_PACKED) != 0;
  }

  /** A device that goes on with what the ring shows as used, with a record unless that is null. */
  private DeviceRing device(IntConsumer crashPoint) {
    RingMemory at = driver.memory();
    var layout =
        new RingLayout(
            3,
            size,
            memory.table().ofGuestAddress(at.descriptors(), 1),
            memory.table().ofGuestAddress(at.available(), 1),
            memory.table().ofGuestAddress(at.used(), 1),
            features,
            null,
            RingLayout.NOT_LOGGED,
            RingLayout.NOT_LOGGED);
    Completion none = (_, _) -> {};
    DeviceRing ring =
        packed()
            ? new PackedRing(
                layout,
                driver.usedBase(),
                crashPoint == null ? null : new PackedInflight(record.address(), size, crashPoint),
                none)
            : new SplitRing(
                layout,
                driver.usedBase(),
                crashPoint == null ? null : new SplitInflight(record.address(), size, crashPoint),
                none);
    ring.use(memory.table());
    return ring;
  }

  /** Puts another device in the place of the one there was, with the record that it left. */
  void succeed(IntConsumer crashPoint) {
    device = device(crashPoint);
  }

  @Override
  public void close() {
    driver.close();
    memory.close();
    record.close();
  }
}
