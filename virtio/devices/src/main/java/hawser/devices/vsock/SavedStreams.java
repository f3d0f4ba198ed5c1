package hawser.devices.vsock;

import hawser.base.Wire;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The connections of a guest that migrates: their ends on the host stay behind, so the successor
 * tells the guest that they are gone. Little endian: magic, version, count, the ports of each
 * connection (the host's, the guest's), CRC-32C of all before.
 */
final class SavedStreams {
  private static final int MAGIC = 0x4b535648; // "HVSK"
  private static final int VERSION = 1;
  private static final int HEAD_BYTES = 12;

  private SavedStreams() {}

  static void write(List<int[]> ports, OutputStream to) throws IOException {
    var bytes = ByteBuffer.allocate(HEAD_BYTES + 8 * ports.size() + 4);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(MAGIC).putInt(VERSION).putInt(ports.size());
    for (int[] pair : ports) {
      bytes.putInt(pair[0]).putInt(pair[1]);
    }
    bytes.putInt(sum(bytes.array(), bytes.position()));
    to.write(bytes.array());
  }

  static List<int[]> read(InputStream from) throws IOException {
    var in = new DataInputStream(from);
    var head = new byte[HEAD_BYTES];
    in.readFully(head);
    MemorySegment view = MemorySegment.ofArray(head);
    if (view.get(Wire.LE32, 0) != MAGIC) {
      throw new IOException("not the state of a vsock device");
    }
    if (view.get(Wire.LE32, 4) != VERSION) {
      throw new IOException(
          "version of the state is %d, not %d".formatted(view.get(Wire.LE32, 4), VERSION));
    }
    int count = view.get(Wire.LE32, 8);
    if (count < 0 || count > Switchboard.STREAMS_MAX) {
      throw new IOException(
          "state of %s connections, not 0 to %d"
              .formatted(Integer.toUnsignedString(count), Switchboard.STREAMS_MAX));
    }
    int pairsBytes = 8 * count;
    var all = new byte[HEAD_BYTES + pairsBytes + 4];
    System.arraycopy(head, 0, all, 0, HEAD_BYTES);
    in.readFully(all, HEAD_BYTES, pairsBytes + 4);
    var rest = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
    if (rest.getInt(HEAD_BYTES + pairsBytes) != sum(all, HEAD_BYTES + pairsBytes)) {
      throw new IOException("the state's checksum does not match");
    }
    if (in.read() >= 0) {
      throw new IOException("the state goes on behind its end");
    }
    var ports = new ArrayList<int[]>();
    for (int at = HEAD_BYTES; at < HEAD_BYTES + pairsBytes; at += 8) {
      ports.add(new int[] {rest.getInt(at), rest.getInt(at + 4)});
    }
    return ports;
  }

  private static int sum(byte[] bytes, int length) {
    var crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
