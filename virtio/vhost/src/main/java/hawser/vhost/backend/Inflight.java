package hawser.vhost.backend;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.Ranges;
import hawser.sys.FileCalls;
import hawser.sys.MemoryCalls;
import hawser.sys.Result;
import hawser.sys.Stat;
import hawser.vhost.message.InflightArea;
import hawser.vhost.ring.Cells;
import hawser.vhost.ring.PackedInflight;
import hawser.vhost.ring.RingLayout;
import hawser.vhost.ring.SplitInflight;

/**
 * The memory in which the records of requests under way survive this process: made here, kept by
 * the front-end, and given back on reconnection (vhost-user, "Inflight I/O tracking").
 */
final class Inflight {
  private static final int ALIGNMENT = 64;

  /** Of both kinds of record: 0 in one that nobody has used. */
  private static final int VERSION_AT = 8;

  private final long address;
  private final long bytes;
  private final InflightArea area;
  private final boolean packed;

  private Inflight(long address, long bytes, InflightArea area, boolean packed) {
    this.address = address;
    this.bytes = bytes;
    this.area = area;
    this.packed = packed;
  }

  private static long stride(int queueSize, boolean packed) {
    long bytes = packed ? PackedInflight.bytes(queueSize) : SplitInflight.bytes(queueSize);
    return Ranges.alignUp(bytes, ALIGNMENT);
  }

  /** How much memory so many queues need, as the answer to GET_INFLIGHT_FD. */
  static InflightArea areaFor(InflightArea asked, int queuesMax, boolean packed) {
    if (asked.queues() < 1
        || asked.queues() > queuesMax
        || asked.queueSize() < 1
        || asked.queueSize() > RingLayout.SIZE_MAX) {
      throw new PeerFault(
          "GET_INFLIGHT_FD: %d queues of %d, not 1 to %d of 1 to %d"
              .formatted(asked.queues(), asked.queueSize(), queuesMax, RingLayout.SIZE_MAX));
    }
    long size = asked.queues() * stride(asked.queueSize(), packed);
    return new InflightArea(size, 0, asked.queues(), asked.queueSize());
  }

  /** New memory of an area's size; answers a descriptor. */
  static int create(InflightArea area) {
    long fd = MemoryCalls.memfdCreate("vhost-inflight");
    if (Result.failed(fd) || Result.failed(FileCalls.ftruncate((int) fd, area.mmapSize()))) {
      throw new PeerFault("GET_INFLIGHT_FD: no memory of %d bytes".formatted(area.mmapSize()));
    }
    return (int) fd;
  }

  /** Maps what the front-end gives back; the descriptor may be closed afterwards. */
  static Inflight map(InflightArea area, int fd, boolean packed) {
    long needed = area.queues() * stride(Math.max(1, area.queueSize()), packed);
    if (area.mmapSize() < needed || area.mmapOffset() < 0 || area.mmapOffset() % 4096 != 0) {
      throw new PeerFault(
          "SET_INFLIGHT_FD: %d bytes from %d for %d queues of %d, which need %d"
              .formatted(
                  area.mmapSize(), area.mmapOffset(), area.queues(), area.queueSize(), needed));
    }
    try {
      Stat file = Stat.of(fd, "inflight");
      if (file.kind() == Stat.Kind.REGULAR
          && !Ranges.contains(file.size(), area.mmapOffset(), area.mmapSize())) {
        throw new PeerFault(
            "SET_INFLIGHT_FD: %d bytes from %d lie outside the file of %d"
                .formatted(area.mmapSize(), area.mmapOffset(), file.size()));
      }
      long address =
          Result.orFault(
              MemoryCalls.mmap(
                  fd,
                  area.mmapOffset(),
                  area.mmapSize(),
                  MemoryCalls.PROT_READ | MemoryCalls.PROT_WRITE,
                  MemoryCalls.MAP_SHARED),
              "mmap");
      return new Inflight(address, area.mmapSize(), area, packed);
    } catch (BlockFault e) {
      throw new PeerFault("SET_INFLIGHT_FD: " + e.getMessage(), e);
    }
  }

  /** The address of a queue's record, or 0 where there is none for a ring of this kind and size. */
  long record(int queue, int size, boolean ringPacked) {
    return queue < area.queues() && size <= area.queueSize() && ringPacked == packed
        ? address + queue * stride(area.queueSize(), packed)
        : 0;
  }

  /** Whether somebody has worked with a queue's record. */
  boolean begun(int queue, int size, boolean ringPacked) {
    long record = record(queue, size, ringPacked);
    return record != 0 && Cells.u16(record + VERSION_AT) != 0;
  }

  void unmap() {
    MemoryCalls.munmap(address, bytes);
  }
}
