package hawser.vhost.backend;

import hawser.vhost.ring.Chain;
import hawser.vhost.ring.DeviceRing;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Gives chains back in the order in which they were taken (virtio, "In-order use of descriptors").
 */
final class Order {
  private final Queue<Chain> underWay = new ArrayDeque<>();
  private final Map<Chain, Long> done = new HashMap<>();

  synchronized void taken(Chain chain) {
    underWay.add(chain);
  }

  /** Gives back this chain, and those that waited for it, unless it has to wait itself. */
  synchronized void give(DeviceRing ring, Chain chain, long written) {
    done.put(chain, written);
    for (Chain first = underWay.peek(); first != null; first = underWay.peek()) {
      @Nullable Long bytes = done.remove(first);
      if (bytes == null) {
        return;
      }
      underWay.remove();
      ring.give(first, bytes);
    }
  }
}
