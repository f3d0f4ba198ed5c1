package hawser.devices.vsock;

import hawser.sys.SocketAddress;

/**
 * Who the guest is and where its connections end.
 *
 * @param guestCid the guest's context identifier, 3 to 2^32 - 2: smaller ones have meanings of
 *     their own
 * @param socket where the host connects to reach the guest; a guest's connection to port N goes to
 *     the socket of that name with {@code _N} behind it
 * @param room bytes of one connection that the host has not read yet, {@link #ROOM_MIN} to {@link
 *     #ROOM_MAX}
 */
public record VsockOptions(long guestCid, String socket, int room) {
  /** The smallest identifier of a guest's. */
  public static final long CID_MIN = 3;

  /** The largest; the one above means "any". */
  public static final long CID_MAX = 0xffff_fffeL;

  /** A page. */
  public static final int ROOM_MIN = 4 << 10;

  /** All connections together then hold a gigabyte. */
  public static final int ROOM_MAX = 1 << 20;

  /** As vhost-device-vsock has it. */
  public static final int ROOM = 64 << 10;

  private static final String LONGEST_PORT = "_4294967295";

  /** Checks all. */
  public VsockOptions {
    if (guestCid < CID_MIN || guestCid > CID_MAX) {
      throw new IllegalArgumentException(
          "guest CID %d is not %d to %d".formatted(guestCid, CID_MIN, CID_MAX));
    }
    if (room < ROOM_MIN || room > ROOM_MAX) {
      throw new IllegalArgumentException(
          "room of %d bytes is not %d to %d".formatted(room, ROOM_MIN, ROOM_MAX));
    }
    var _ = new SocketAddress.Unix(socket + LONGEST_PORT);
  }
}
