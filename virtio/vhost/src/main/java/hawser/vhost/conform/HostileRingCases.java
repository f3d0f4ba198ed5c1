package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.SplitDriverQueue;
import java.util.List;

/** Rings that lie. Whatever the back-end does with that device, it serves the next front-end. */
final class HostileRingCases {
  private static final int NEXT = 1;
  private static final int WRITE = 2;
  private static final int INDIRECT = 4;
  private static final int QUIET_MS = 200;

  static final List<Case> ALL =
      List.of(
          hostile(
              "chain with a loop",
              queue -> {
                queue.writeDescriptor(0, 0, 16, NEXT, 1);
                queue.writeDescriptor(1, 0, 16, NEXT, 0);
                show(queue, 0, 1);
              }),
          hostile(
              "address of nowhere",
              queue -> {
                queue.writeDescriptor(0, 1L << 60, 16, WRITE, 0);
                show(queue, 0, 1);
              }),
          hostile(
              "length of 4 GiB",
              queue -> {
                queue.writeDescriptor(0, 0, -1, WRITE, 0);
                show(queue, 0, 1);
              }),
          hostile(
              "length of nothing",
              queue -> {
                queue.writeDescriptor(0, 0, 0, 0, 0);
                show(queue, 0, 1);
              }),
          hostile("head of nowhere", queue -> show(queue, 60_000, 1)),
          hostile("index far ahead", queue -> show(queue, 0, 40_000)),
          hostile(
              "table outside of memory",
              queue -> {
                queue.writeDescriptor(0, Subject.RAM_BYTES - 8, 32, INDIRECT, 0);
                show(queue, 0, 1);
              }),
          hostile(
              "table in a table",
              queue -> {
                queue.writeDescriptor(0, queue.memory().descriptors(), 16, INDIRECT, 0);
                show(queue, 0, 1);
              }),
          hostile(
              "request without an answer's place",
              queue -> {
                queue.writeDescriptor(0, 0, 16, 0, 0);
                show(queue, 0, 1);
              }));

  private HostileRingCases() {}

  /** Writes nonsense into a ring. */
  private interface Nonsense {
    void into(SplitDriverQueue queue);
  }

  private static void show(SplitDriverQueue queue, int head, int index) {
    queue.putAvailable(0, head);
    queue.putAvailableIndex(index);
  }

  private static Case hostile(String name, Nonsense nonsense) {
    return new Case(
        name,
        "a ring that lies (%s) ends that device at most, not the process".formatted(name),
        subject -> survived(subject, nonsense));
  }

  private static Verdict survived(Subject subject, Nonsense nonsense) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, RingCases.PLAN)) {
      var queue = (SplitDriverQueue) driver.queue(0);
      nonsense.into(queue);
      queue.kick();
      // Nobody must answer; a back-end that does must not name what is not under way.
      boolean _ = queue.await(QUIET_MS);
    }
    return subject.alive();
  }
}
