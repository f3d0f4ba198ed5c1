package hawser.devices.vsock;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.devices.Attached;
import hawser.vhost.frontend.DriverPlan;
import java.lang.foreign.MemorySegment;

/** A guest's side of the socket device, packet by packet. */
final class VsockGuest implements AutoCloseable {
  static final int CID = 5;
  static final int RX = 0;
  static final int TX = 1;
  static final int EVENTS = 2;
  static final int ROOM = 1 << 16;
  private static final int BUFFER_BYTES = 4096;

  final Attached attached;

  /** What the guest says that it has passed on. */
  int forwarded;

  /** What the guest says that it has room for. */
  int room = ROOM;

  @SuppressWarnings("ArrayRecordComponent")
  record Packet(Header header, byte[] payload) {
    Op op() {
      return Op.of(header.op());
    }
  }

  VsockGuest(VsockDevice device) throws Exception {
    attached = new Attached(device, DriverPlan.SPLIT);
    post();
  }

  private void post() {
    attached.post(RX, BUFFER_BYTES);
  }

  Header header(Op op, int guestPort, int hostPort, int length, int flags) {
    return new Header(
        CID,
        Header.HOST_CID,
        guestPort,
        hostPort,
        length,
        Header.STREAM,
        op.number,
        flags,
        room,
        forwarded);
  }

  void send(Op op, int guestPort, int hostPort, int flags) {
    send(header(op, guestPort, hostPort, 0, flags), new byte[0]);
  }

  void say(int guestPort, int hostPort, byte[] payload) {
    send(header(Op.RW, guestPort, hostPort, payload.length, 0), payload);
  }

  void send(Header header, byte[] payload) {
    var bytes = new byte[Header.BYTES + payload.length];
    header.write(MemorySegment.ofArray(bytes));
    System.arraycopy(payload, 0, bytes, Header.BYTES, payload.length);
    attached.send(TX, bytes);
  }

  /** The next packet of the device's. */
  Packet receive() {
    byte[] bytes = attached.receive(RX);
    post();
    Header header = Header.read(MemorySegment.ofArray(bytes));
    assertThat(header.destinationCid()).isEqualTo(CID);
    var payload = new byte[bytes.length - Header.BYTES];
    System.arraycopy(bytes, Header.BYTES, payload, 0, payload.length);
    assertThat(header.length()).isEqualTo(payload.length);
    return new Packet(header, payload);
  }

  Packet receive(Op op) {
    Packet packet = receive();
    assertThat(packet.op()).as("%s", packet.header()).isEqualTo(op);
    return packet;
  }

  @Override
  public void close() {
    attached.close();
  }
}
