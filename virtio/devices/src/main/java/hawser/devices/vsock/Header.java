package hawser.devices.vsock;

import static hawser.base.Wire.LE16;
import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * The beginning of every packet (virtio, "Socket Device", struct virtio_vsock_hdr).
 *
 * @param sourceCid context identifier of the sender; the host's is {@link #HOST_CID}
 * @param destinationCid context identifier of the receiver
 * @param sourcePort the sender's port
 * @param destinationPort the receiver's port
 * @param length bytes of payload behind this header
 * @param type {@link #STREAM}, or another kind of socket
 * @param op what the packet is for, an {@link Op}'s number if it is known
 * @param flags of {@link Op#SHUTDOWN}
 * @param bufAlloc how many bytes the sender has room for
 * @param fwdCnt how many bytes the sender has passed on to its application, modulo 2^32
 */
record Header(
    long sourceCid,
    long destinationCid,
    int sourcePort,
    int destinationPort,
    int length,
    int type,
    int op,
    int flags,
    int bufAlloc,
    int fwdCnt) {
  static final int BYTES = 44;
  static final long HOST_CID = 2;
  static final int STREAM = 1;

  static Header read(MemorySegment from) {
    return new Header(
        from.get(LE64, 0),
        from.get(LE64, 8),
        from.get(LE32, 16),
        from.get(LE32, 20),
        from.get(LE32, 24),
        Short.toUnsignedInt(from.get(LE16, 28)),
        Short.toUnsignedInt(from.get(LE16, 30)),
        from.get(LE32, 32),
        from.get(LE32, 36),
        from.get(LE32, 40));
  }

  void write(MemorySegment to) {
    to.set(LE64, 0, sourceCid);
    to.set(LE64, 8, destinationCid);
    to.set(LE32, 16, sourcePort);
    to.set(LE32, 20, destinationPort);
    to.set(LE32, 24, length);
    to.set(LE16, 28, (short) type);
    to.set(LE16, 30, (short) op);
    to.set(LE32, 32, flags);
    to.set(LE32, 36, bufAlloc);
    to.set(LE32, 40, fwdCnt);
  }
}
