package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

/** Workers in a guest that write their parts of a disk, read them back and compare. */
final class GuestLoad {
  /** How many workers, a MiB apart: as many requests are under way. */
  static final int WORKERS = 4;

  private static final String EVERY = "for w in $(seq 0 %d); do ".formatted(WORKERS - 1);

  private GuestLoad() {}

  /** Starts the workers; they go on until {@link #finish}. */
  static void start(Machine guest, String disk) {
    guest.run(EVERY + "load " + disk + " $w >/dev/null 2>&1 & done").ok();
  }

  /** Waits until each worker has gone round once more, from its beginning to its end. */
  static void awaitRound(Machine guest) {
    guest
        .run(
            EVERY
                + "a=$(cat /tmp/rounds.$w 2>/dev/null || echo 0);"
                + " until [ $(cat /tmp/rounds.$w 2>/dev/null || echo 0) -gt $((a + 1)) ];"
                + " do usleep 50000; done; done")
        .ok();
  }

  /** Ends the workers; an assertion error unless everything they read was what they had written. */
  static void finish(Machine guest, String disk) {
    guest
        .run("touch /tmp/stop; " + EVERY + "until [ -e /tmp/done.$w ]; do usleep 50000; done; done")
        .ok();
    assertThat(guest.run("cat /tmp/failed").out().strip()).isEmpty();
    guest
        .run(
            EVERY
                + "dd if="
                + disk
                + " iflag=direct bs=16k skip=$((64 * w)) count=16 2>/dev/null | cmp - /tmp/wrote.$w || exit 1; done")
        .ok();
    assertThat(guest.run("dmesg | grep -i -E 'i/o error|hung|virtio.*(error|fail)'").out().strip())
        .isEmpty();
  }
}
