package hawser.vhost.backend;

import hawser.base.Wire;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The form of a state that is a short list of items. Little endian: magic, version, how many items
 * there are, the items, CRC-32C of all before.
 *
 * @param device what it is the state of, for messages
 * @param magic the first four bytes
 * @param itemBytes bytes of an item, at least 1
 * @param itemsMin items at least
 * @param itemsMax items at most
 */
public record SmallState(String device, int magic, int itemBytes, int itemsMin, int itemsMax) {
  private static final int VERSION = 1;
  private static final int HEAD_BYTES = 12;
  private static final int SUM_BYTES = 4;

  /** An empty list, little endian, with room for so many items. */
  public ByteBuffer items(int count) {
    return ByteBuffer.allocate(itemBytes * count).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Writes items that fill their buffer. */
  public void write(ByteBuffer items, OutputStream to) throws IOException {
    var bytes = ByteBuffer.allocate(HEAD_BYTES + items.capacity() + SUM_BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(magic).putInt(VERSION);
    bytes.putInt(items.capacity() / itemBytes).put(items.rewind());
    bytes.putInt(sum(bytes.array(), bytes.position()));
    to.write(bytes.array());
  }

  /**
   * Reads a stranger's state, which is all of the stream.
   *
   * @return the items, little endian
   * @throws IOException saying what is wrong with it
   */
  public ByteBuffer read(InputStream from) throws IOException {
    var in = new DataInputStream(from);
    var head = new byte[HEAD_BYTES];
    in.readFully(head);
    MemorySegment view = MemorySegment.ofArray(head);
    if (view.get(Wire.LE32, 0) != magic) {
      throw new IOException("not the state of a %s device".formatted(device));
    }
    if (view.get(Wire.LE32, 4) != VERSION) {
      throw new IOException(
          "version of the state is %d, not %d".formatted(view.get(Wire.LE32, 4), VERSION));
    }
    int count = view.get(Wire.LE32, 8);
    if (count < itemsMin || count > itemsMax) {
      throw new IOException(
          "the state of a %s device has %s items, not %d to %d"
              .formatted(device, Integer.toUnsignedString(count), itemsMin, itemsMax));
    }
    int end = HEAD_BYTES + itemBytes * count;
    var all = new byte[end + SUM_BYTES];
    System.arraycopy(head, 0, all, 0, HEAD_BYTES);
    in.readFully(all, HEAD_BYTES, all.length - HEAD_BYTES);
    if (MemorySegment.ofArray(all).get(Wire.LE32, end) != sum(all, end)) {
      throw new IOException("the state's checksum does not match");
    }
    if (in.read() >= 0) {
      throw new IOException("the state goes on behind its end");
    }
    return ByteBuffer.wrap(all, HEAD_BYTES, end - HEAD_BYTES)
        .slice()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int sum(byte[] bytes, int length) {
    var crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
