package hawser.devices.console;

import hawser.base.ThreadEnd;
import hawser.devices.Inbox;
import hawser.devices.Told;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.ring.Chain;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The virtio console device with one port, on a line that it closes with itself. */
public final class ConsoleDevice implements Device {
  /** VIRTIO_CONSOLE_F_SIZE: columns and rows are told. */
  static final long SIZE = 1;

  /** VIRTIO_CONSOLE_F_EMERG_WRITE: characters can be written through the configuration space. */
  static final long EMERG_WRITE = 1 << 2;

  private static final int RECEIVEQ = 0;
  private static final int CONFIG_BYTES = 12;
  private static final int EMERG_WR_OFFSET = 8;

  /** One read of the line. */
  private static final int PIECE_BYTES_MAX = 4096;

  /** Reads that wait for the guest before the line has to. */
  private static final int PIECES_MAX = 16;

  private final ConsoleLine line;
  private final int columns;
  private final int rows;
  private final Inbox<byte[]> typed = new Inbox<>(PIECES_MAX);
  private final Thread reader;

  /** Connects a line; 0 columns and rows leave its size to the guest. */
  public ConsoleDevice(ConsoleLine line, int columns, int rows) {
    this.line = line;
    this.columns = columns;
    this.rows = rows;
    this.reader = Thread.ofPlatform().daemon().name("console-line").start(this::readLine);
  }

  private void readLine() {
    byte[] bytes = line.read(PIECE_BYTES_MAX);
    while (bytes.length > 0 && typed.put(bytes)) {
      bytes = line.read(PIECE_BYTES_MAX);
    }
  }

  @Override
  public int virtioId() {
    return 3;
  }

  @Override
  public String name() {
    return "console";
  }

  @Override
  public long features() {
    return EMERG_WRITE | (columns > 0 && rows > 0 ? SIZE : 0);
  }

  @Override
  public int queues() {
    return 2;
  }

  @Override
  public ByteBuffer config() {
    var config = ByteBuffer.allocate(CONFIG_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    config.putShort(0, (short) columns).putShort(2, (short) rows).putInt(4, 1);
    return config;
  }

  @Override
  public boolean configure(int offset, ByteBuffer content) {
    if (offset != EMERG_WR_OFFSET || !content.hasRemaining()) {
      return false;
    }
    line.write(new byte[] {content.get(content.position())});
    return true;
  }

  @Override
  public QueueHandler open(int queue) {
    return queue == RECEIVEQ ? new Told(typed) : this::transmit;
  }

  private void transmit(Chain chain) {
    long left = chain.readableBytes();
    for (long at = 0; at < left; at += PIECE_BYTES_MAX) {
      var piece = new byte[(int) Math.min(PIECE_BYTES_MAX, left - at)];
      chain.read(at, MemorySegment.ofArray(piece));
      line.write(piece);
    }
    chain.complete(0);
  }

  /** Closes the line. */
  @Override
  public void close() {
    typed.close();
    line.end();
    ThreadEnd.await(reader);
    line.close();
  }
}
