package hawser.testkit.fuse;

import hawser.base.BlockFault;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import hawser.vhost.frontend.StateTransfer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A guest's kernel as a virtio-fs device sees it: a connection, memory, the queue for what must not
 * wait, and request queues. Each queue belongs to one thread, the rest to the thread that made it.
 */
public final class FuseClient implements AutoCloseable {
  /** Data of one request at most, in bytes. */
  public static final int ROOM_BYTES = 1 << 20;

  /** Requests under way on a queue at most. */
  public static final int SLOTS = 8;

  private static final int HIPRIO_ROOM_BYTES = 64 << 10;
  private static final int RING_SIZE = 512;
  private static final long RINGS_BYTES = 8 << 20;

  /** A page's worth of pieces for the largest request, and its heads. */
  private static final int INDIRECT_ENTRIES = ROOM_BYTES / GuestRam.PAGE_BYTES + 8;

  private final GuestRam ram;
  private final Driver driver;
  private final FuseQueue hiprio;
  private final List<FuseQueue> queues = new ArrayList<>();
  private final AtomicLong uniques = new AtomicLong();

  private FuseClient(GuestRam ram, Driver driver, int requestQueues, int slots) {
    this.ram = ram;
    this.driver = driver;
    this.hiprio = queue(0, slots, HIPRIO_ROOM_BYTES);
    for (int i = 1; i <= requestQueues; i++) {
      queues.add(queue(i, slots, ROOM_BYTES));
    }
  }

  private FuseQueue queue(int index, int slots, int roomBytes) {
    return new FuseQueue(new FuseRing(driver.queue(index), ram, slots, roomBytes), uniques);
  }

  /** Connects to a back-end, without INIT yet. */
  public static FuseClient connect(Path socket, int requestQueues) throws BlockFault {
    return connect(socket, requestQueues, SLOTS);
  }

  /** The same with so many requests under way on each queue at most. */
  public static FuseClient connect(Path socket, int requestQueues, int slots) throws BlockFault {
    DriverPlan plan =
        DriverPlan.of(DriverPlan.SPLIT).withQueues(1 + requestQueues, RING_SIZE, INDIRECT_ENTRIES);
    long bytes =
        FuseRing.memoryBytes(slots, HIPRIO_ROOM_BYTES)
            + requestQueues * FuseRing.memoryBytes(slots, ROOM_BYTES)
            + (1 + requestQueues) * RINGS_BYTES;
    GuestRam ram = GuestRam.of(bytes);
    return new FuseClient(
        ram, Driver.start(Sockets.connect(socket), ram, plan), requestQueues, slots);
  }

  /** The queue for FORGET and INTERRUPT. */
  public FuseQueue hiprio() {
    return hiprio;
  }

  /** A request queue, from 0. */
  public FuseQueue queue(int index) {
    return queues.get(index);
  }

  /** Operations of root's on the first request queue. */
  public FuseOperations operations() {
    return new FuseOperations(queues.getFirst(), hiprio, Caller.ROOT);
  }

  /** Operations of somebody's on a request queue. */
  public FuseOperations operations(int queue, Caller caller) {
    return new FuseOperations(queues.get(queue), hiprio, caller);
  }

  /** The driver, for what is not FUSE. */
  public Driver driver() {
    return driver;
  }

  /**
   * What a migration does at its source: tells of dirty pages, stops the guest, and takes the
   * state. {@link #goOn} goes on here.
   */
  public byte[] save() throws BlockFault {
    driver.startLog();
    return stopAndSave();
  }

  /** The same when dirty pages are told of already. */
  public byte[] stopAndSave() throws BlockFault {
    driver.stop();
    return StateTransfer.save(driver.frontEnd());
  }

  /** Goes on at the back-end that saved. */
  public void goOn() {
    driver.stopLog();
    driver.resume();
  }

  /** What a migration does at its destination: the guest goes on there, after {@link #save}. */
  public void moveTo(Path socket, byte[] state) throws BlockFault {
    FrontEnd destination = Sockets.connect(socket);
    driver.moveTo(destination, state);
  }

  @Override
  public void close() {
    driver.close();
    ram.close();
  }
}
