package hawser.tools.vhostuser;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;

/**
 * Ends the process at a step of the record of requests under way, as {@code kill -9} would there.
 * For tests of recovery: {@code -Dhawser.vhost.crash=STEP:TIMES} ends it when that step comes for
 * the so-manieth time.
 */
final class CrashPoint {
  private static final int KILLED = 137;

  private CrashPoint() {}

  static IntConsumer fromProperty() {
    String wanted = System.getProperty("hawser.vhost.crash");
    if (wanted == null) {
      return _ -> {};
    }
    int colon = wanted.indexOf(':');
    int step = Integer.parseInt(wanted.substring(0, colon));
    var left = new AtomicLong(Long.parseLong(wanted.substring(colon + 1)));
    return at -> {
      if (at == step && left.decrementAndGet() == 0) {
        Runtime.getRuntime().halt(KILLED);
      }
    };
  }
}
