package hawser.vhost.frontend;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.base.Wire;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A disk behind vhost-user-blk, one request at a time on one queue. Offsets are sectors of 512
 * bytes. What the device refuses is a {@link BlockFault}: EIO or EOPNOTSUPP; what it does not
 * answer in time is a {@link PeerFault}. For many requests at once there is {@link BlkQueue}.
 */
public final class BlkDriver {
  /** Bytes of a sector. */
  public static final int SECTOR_BYTES = 512;

  /** Feature bits of virtio-blk. */
  public static final long F_RO = 1 << 5;

  /** Flushes are served. */
  public static final long F_FLUSH = 1 << 9;

  /** The write cache can be switched. */
  public static final long F_CONFIG_WCE = 1 << 11;

  /** There may be several queues. */
  public static final long F_MQ = 1 << 12;

  /** Discards are served. */
  public static final long F_DISCARD = 1 << 13;

  /** Zeroes can be written without data. */
  public static final long F_WRITE_ZEROES = 1 << 14;

  /** The device tells how worn it is. */
  public static final long F_LIFETIME = 1 << 15;

  /** Secure erase is served. */
  public static final long F_SECURE_ERASE = 1 << 16;

  /** The device has zones. */
  public static final long F_ZONED = 1 << 17;

  /** All bits of virtio-blk's own. */
  public static final long F_ALL = (1 << 18) - 1;

  /** Flag of a write-zeroes segment: the device may give the space back. */
  public static final int UNMAP = 1;

  private static final int ID_BYTES = 20;
  private static final int LIFETIME_BYTES = 6;
  private static final int SEGMENT_BYTES = 16;
  private static final int PATIENCE_MS = (int) FrontEnd.PATIENCE.toMillis();

  /** A range for discard, write zeroes or secure erase. */
  public record Segment(long sector, int sectors, int flags) {}

  private final BlkQueue queue;

  /** Uses a queue; nobody else may meanwhile. */
  public BlkDriver(BlkQueue queue) {
    this.queue = queue;
  }

  /** A driver of a queue with requests of up to {@code dataBytes} in pieces of a page. */
  public static BlkDriver of(Driver driver, int queue, int dataBytes) {
    return new BlkDriver(
        new BlkQueue(driver.queue(queue), driver.ram(), 1, dataBytes, 4 * GuestRam.PAGE_BYTES));
  }

  /** The device's configuration, by GET_CONFIG. */
  public static BlkConfig config(FrontEnd frontEnd) {
    return BlkConfig.read(frontEnd.getConfig(0, BlkConfig.BYTES));
  }

  /** Reads whole sectors. */
  public byte[] read(long sector, int bytes) throws BlockFault {
    int slot = queue.claim();
    try {
      perform(slot, BlkType.IN.number, sector, 0, bytes);
      return queue.data(slot, bytes).toArray(ValueLayout.JAVA_BYTE);
    } finally {
      queue.release(slot);
    }
  }

  /** Writes whole sectors. */
  public void write(long sector, byte[] content) throws BlockFault {
    out(BlkType.OUT, sector, MemorySegment.ofArray(content));
  }

  /** Makes what was written durable. */
  public void flush() throws BlockFault {
    out(BlkType.FLUSH, 0, MemorySegment.NULL);
  }

  /** Gives ranges back. */
  public void discard(List<Segment> segments) throws BlockFault {
    out(BlkType.DISCARD, 0, encode(segments));
  }

  /** Makes ranges read as zeroes. */
  public void writeZeroes(List<Segment> segments) throws BlockFault {
    out(BlkType.WRITE_ZEROES, 0, encode(segments));
  }

  /** Makes what ranges held unreadable for ever. */
  public void secureErase(List<Segment> segments) throws BlockFault {
    out(BlkType.SECURE_ERASE, 0, encode(segments));
  }

  /** Changes the state of a zone, or of all with ZONE_RESET_ALL. */
  public void zone(BlkType request, long sector) throws BlockFault {
    out(request, sector, MemorySegment.NULL);
  }

  /** The device's serial number, up to 20 bytes. */
  public String getId() throws BlockFault {
    byte[] id = in(BlkType.GET_ID, 0, ID_BYTES);
    int length = 0;
    while (length < ID_BYTES && id[length] != 0) {
      length++;
    }
    return new String(id, 0, length, StandardCharsets.US_ASCII);
  }

  /** How worn the device is: three numbers of 16 bits as virtio has them. */
  public byte[] getLifetime() throws BlockFault {
    return in(BlkType.GET_LIFETIME, 0, LIFETIME_BYTES);
  }

  /** The report of zones from a sector on, as virtio has it. */
  public byte[] zoneReport(long sector, int bytes) throws BlockFault {
    return in(BlkType.ZONE_REPORT, sector, bytes);
  }

  private byte[] in(BlkType type, long sector, int bytes) throws BlockFault {
    int slot = queue.claim();
    try {
      queue.data(slot, bytes).fill((byte) 0);
      perform(slot, type.number, sector, 0, bytes);
      return queue.data(slot, bytes).toArray(ValueLayout.JAVA_BYTE);
    } finally {
      queue.release(slot);
    }
  }

  private void out(BlkType type, long sector, MemorySegment content) throws BlockFault {
    int slot = queue.claim();
    try {
      int bytes = (int) content.byteSize();
      if (bytes > 0) {
        queue.data(slot, bytes).copyFrom(content);
      }
      perform(slot, type.number, sector, bytes, 0);
    } finally {
      queue.release(slot);
    }
  }

  private static MemorySegment encode(List<Segment> segments) {
    var out = MemorySegment.ofArray(new byte[segments.size() * SEGMENT_BYTES]);
    long at = 0;
    for (Segment segment : segments) {
      out.set(Wire.LE64, at, segment.sector);
      out.set(Wire.LE32, at + 8, segment.sectors);
      out.set(Wire.LE32, at + 12, segment.flags);
      at += SEGMENT_BYTES;
    }
    return out;
  }

  private void perform(int slot, int type, long sector, int out, int in) throws BlockFault {
    if (!queue.add(slot, type, sector, out, in)) {
      throw new IllegalStateException("the ring has no room");
    }
    queue.queue().submit();
    if (!queue.queue().await(PATIENCE_MS)) {
      throw new PeerFault(
          "queue %d: request of type %d not answered within %d ms"
              .formatted(queue.queue().index(), type, PATIENCE_MS));
    }
    int done = queue.take();
    if (done != slot) {
      throw new AssertionError("slot %d is done, not %d".formatted(done, slot));
    }
    switch (queue.status(slot)) {
      case 0 -> {}
      case 1 -> throw BlockFault.of(Errno.EIO, "request of type " + type);
      case 2 -> throw BlockFault.of(Errno.EOPNOTSUPP, "request of type " + type);
      default -> throw new PeerFault("status is %#x".formatted(queue.status(slot)));
    }
  }
}
