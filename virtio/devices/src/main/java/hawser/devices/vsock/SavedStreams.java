package hawser.devices.vsock;

import hawser.vhost.backend.SmallState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The connections of a guest that migrates: their ends on the host stay behind, so the successor
 * tells the guest that they are gone. An item is the ports of a connection: the host's, the
 * guest's.
 */
final class SavedStreams {
  private static final int MAGIC = 0x4b535648; // "HVSK"
  private static final int ITEM_BYTES = 8;
  private static final SmallState FORM =
      new SmallState("vsock", MAGIC, ITEM_BYTES, 0, Switchboard.STREAMS_MAX);

  private SavedStreams() {}

  static void write(List<int[]> ports, OutputStream to) throws IOException {
    ByteBuffer items = FORM.items(ports.size());
    for (int[] pair : ports) {
      items.putInt(pair[0]).putInt(pair[1]);
    }
    FORM.write(items, to);
  }

  static List<int[]> read(InputStream from) throws IOException {
    ByteBuffer items = FORM.read(from);
    var ports = new ArrayList<int[]>();
    while (items.hasRemaining()) {
      ports.add(new int[] {items.getInt(), items.getInt()});
    }
    return ports;
  }
}
