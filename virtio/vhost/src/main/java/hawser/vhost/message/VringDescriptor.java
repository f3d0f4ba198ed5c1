package hawser.vhost.message;

import hawser.base.PeerFault;

/**
 * Which vring a descriptor is for, and whether one comes (vhost-user, SET_VRING_KICK).
 *
 * @param vring index of the vring, 0 to 255
 * @param present whether a descriptor comes along; without one the vring is polled
 */
public record VringDescriptor(int vring, boolean present) {
  private static final long INDEX_MASK = 0xff;
  private static final long ABSENT = 1 << 8;

  static VringDescriptor of(long word) {
    if ((word & ~(INDEX_MASK | ABSENT)) != 0) {
      throw new PeerFault("vring descriptor: %#x has bits beyond 8".formatted(word));
    }
    return new VringDescriptor((int) (word & INDEX_MASK), (word & ABSENT) == 0);
  }

  long word() {
    return vring | (present ? 0 : ABSENT);
  }
}
