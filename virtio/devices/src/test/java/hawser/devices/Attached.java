package hawser.devices;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.base.ThreadEnd;
import hawser.sys.SocketCalls;
import hawser.vhost.backend.BackEnd;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.Device;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.StateTransfer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A device and our driver of it, joined by a socket pair. For one thread. */
public final class Attached implements AutoCloseable {
  private static final int PATIENCE_MS = 60_000;
  private static final int QUEUE_SIZE = 16;
  private static final int BUFFER_BYTES_MAX = 128 << 10;

  /** What the back-end complained about. */
  public final BlockingQueue<String> log = new LinkedBlockingQueue<>();

  /** The driver, for what the methods here do not do. */
  public final Driver driver;

  private final GuestRam ram;
  private final Map<Long, Buffer> underWay = new HashMap<>();
  private final List<Thread> connections = new ArrayList<>();
  private final List<BackEnd> backEnds = new ArrayList<>();

  private record Buffer(long address) {}

  /** Starts all of the device's queues. */
  public Attached(Device device, long features) throws BlockFault {
    ram = GuestRam.of(16 << 20);
    DriverPlan plan = DriverPlan.of(features).withQueues(device.queues(), QUEUE_SIZE, 4);
    driver = Driver.start(serve(device), ram, plan);
  }

  private FrontEnd serve(Device device) {
    int[] pair = new int[2];
    assertThat(SocketCalls.socketPair(pair)).isZero();
    var backEnd = new BackEnd(device, BackEndOptions.loggingTo(log::add));
    backEnds.add(backEnd);
    connections.add(Thread.ofPlatform().start(() -> backEnd.serve(pair[0])));
    return new FrontEnd(pair[1], FrontEnd.PATIENCE);
  }

  /** Migrates to another device, with the state of the one before. */
  public void moveTo(Device successor) throws BlockFault {
    Driver destination = driver.destination(serve(successor));
    driver.stop();
    driver.moveTo(destination, StateTransfer.save(driver.frontEnd()));
  }

  /** Shows the device a buffer to fill. */
  public void post(int queue, int bytes) {
    DriverQueue at = driver.queue(queue);
    long address = ram.allocate(bytes, 64);
    at.begin();
    at.writable(address, bytes);
    underWay.put(key(queue, at.add()), new Buffer(address));
    at.submit();
  }

  /** Shows the device bytes to read and waits until it has. */
  public void send(int queue, byte[] bytes) {
    assertThat(bytes.length).isLessThanOrEqualTo(BUFFER_BYTES_MAX);
    DriverQueue at = driver.queue(queue);
    long address = ram.allocate(bytes.length, 64);
    ram.at(address, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    at.begin();
    at.readable(address, bytes.length);
    int id = at.add();
    at.submit();
    assertThat(at.await(PATIENCE_MS)).isTrue();
    assertThat(at.take()).isEqualTo(id);
  }

  /** Waits for a complaint of the back-end's; null when there is none in the end. */
  public @Nullable String complaint() throws InterruptedException {
    return log.poll(PATIENCE_MS, TimeUnit.MILLISECONDS);
  }

  /** Waits for a posted buffer to come back; what the device wrote into it. */
  public byte[] receive(int queue) {
    DriverQueue at = driver.queue(queue);
    assertThat(at.await(PATIENCE_MS)).as("queue %d: %s", queue, log).isTrue();
    Buffer buffer = underWay.remove(key(queue, at.take()));
    return ram.at(buffer.address, at.usedBytes()).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Whether a buffer has come back. */
  public boolean ready(int queue) {
    return driver.queue(queue).ready();
  }

  private static long key(int queue, int id) {
    return (long) queue << 32 | id;
  }

  @Override
  public void close() {
    driver.close();
    backEnds.forEach(BackEnd::close);
    connections.forEach(ThreadEnd::await);
    ram.close();
    assertThat(log).isEmpty();
  }
}
