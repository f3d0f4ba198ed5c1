package hawser.devices.input;

import hawser.devices.Inbox;
import hawser.devices.Told;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SavesState;
import hawser.vhost.backend.SmallState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A virtio keyboard whose events come from {@link #send}. Its lights are not looked at. Events that
 * the guest has not taken migrate with it.
 */
public final class InputDevice implements Device, SavesState {
  private static final int EVENTQ = 0;
  private static final int EV_SYN = 0;
  private static final int EV_KEY = 1;
  private static final int EVENT_BYTES = 8;

  /** Keys 1 to 255 of Linux's input-event-codes.h, as a bitmap. */
  private static final int KEYMAP_BYTES = 32;

  private static final int CFG_ID_NAME = 1;
  private static final int CFG_EV_BITS = 0x11;
  private static final int CONFIG_BYTES = 136;
  private static final int CONTENT_OFFSET = 8;
  private static final byte[] NAME = "Hawser keyboard".getBytes(StandardCharsets.US_ASCII);

  /** Events that wait for the guest before their sender has to. */
  private static final int EVENTS_MAX = 256;

  private static final int MAGIC = 0x50494848; // "HHIP"

  /** The first item of a state is what the driver selected, the others are events. */
  private static final SmallState FORM =
      new SmallState("input", MAGIC, EVENT_BYTES, 1, 1 + EVENTS_MAX);

  private final Inbox<byte[]> events = new Inbox<>(EVENTS_MAX);
  private int select;
  private int subsel;

  /** A keyboard that nobody has touched. */
  public InputDevice() {}

  /**
   * Adds an event (type, code, value of input-event-codes.h), and waits while the guest has too
   * many to look at. False: the device is closed. From any thread.
   */
  public boolean send(int type, int code, int value) {
    var event = ByteBuffer.allocate(EVENT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    return events.put(event.putShort((short) type).putShort((short) code).putInt(value).array());
  }

  @Override
  public int virtioId() {
    return 18;
  }

  @Override
  public String name() {
    return "input";
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queues() {
    return 2;
  }

  @Override
  public ByteBuffer config() {
    var config = ByteBuffer.allocate(CONFIG_BYTES);
    byte[] content = content();
    config.put(0, (byte) select).put(1, (byte) subsel).put(2, (byte) content.length);
    return config.put(CONTENT_OFFSET, content);
  }

  /** What the driver selected; empty for what there is not. */
  private byte[] content() {
    if (select == CFG_ID_NAME && subsel == 0) {
      return NAME;
    }
    if (select == CFG_EV_BITS && subsel == EV_SYN) {
      return new byte[] {1};
    }
    if (select == CFG_EV_BITS && subsel == EV_KEY) {
      var keys = new byte[KEYMAP_BYTES];
      java.util.Arrays.fill(keys, (byte) 0xff);
      keys[0] = (byte) 0xfe;
      return keys;
    }
    return new byte[0];
  }

  @Override
  public boolean configure(int offset, ByteBuffer content) {
    if (offset + content.remaining() > 2) {
      return false;
    }
    for (int at = offset; content.hasRemaining(); at++) {
      int value = Byte.toUnsignedInt(content.get());
      if (at == 0) {
        select = value;
      } else {
        subsel = value;
      }
    }
    return true;
  }

  @Override
  public void reset() {
    select = 0;
    subsel = 0;
  }

  @Override
  public void save(OutputStream to) throws IOException {
    List<byte[]> waiting = events.items();
    ByteBuffer items = FORM.items(1 + waiting.size());
    items.put((byte) select).put((byte) subsel).position(EVENT_BYTES);
    waiting.forEach(items::put);
    FORM.write(items, to);
  }

  @Override
  public void load(InputStream from) throws IOException {
    ByteBuffer items = FORM.read(from);
    select = Byte.toUnsignedInt(items.get(0));
    subsel = Byte.toUnsignedInt(items.get(1));
    var waiting = new ArrayList<byte[]>();
    for (items.position(EVENT_BYTES); items.hasRemaining(); ) {
      var event = new byte[EVENT_BYTES];
      items.get(event);
      waiting.add(event);
    }
    events.replace(waiting);
  }

  @Override
  public boolean sureToLoad() {
    return true;
  }

  @Override
  public QueueHandler open(int queue) {
    return queue == EVENTQ ? new Told(events) : chain -> chain.complete(0);
  }

  @Override
  public void close() {
    events.close();
  }
}
