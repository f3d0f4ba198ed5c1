package hawser.tools.supervise;

import hawser.sys.FileCalls;
import java.util.HashMap;
import java.util.Map;

/** Copies of a worker's descriptors, for the next one. Safe from any thread. */
final class Kept {
  /** Descriptors at most; no process here may have more. */
  private static final int DESCRIPTORS_MAX = 1 << 20;

  private final Map<Long, Integer> kept = new HashMap<>();

  /**
   * Keeps a descriptor, which is ours from now on, in place of an earlier one of that key; false
   * when there are too many.
   */
  synchronized boolean keep(long key, int fd) {
    if (kept.size() == DESCRIPTORS_MAX) {
      FileCalls.close(fd);
      return false;
    }
    Integer before = kept.put(key, fd);
    if (before != null) {
      FileCalls.close(before);
    }
    return true;
  }

  synchronized void drop(long key) {
    Integer fd = kept.remove(key);
    if (fd != null) {
      FileCalls.close(fd);
    }
  }

  /** Hands copies of all on to a worker; false when that is gone. */
  synchronized boolean sendTo(Channel worker) {
    for (Map.Entry<Long, Integer> each : kept.entrySet()) {
      if (!worker.send(Channel.Word.KEEP, each.getKey(), each.getValue())) {
        return false;
      }
    }
    return true;
  }

  synchronized int count() {
    return kept.size();
  }

  /** Lets go of everything: the guest that it was for is gone. */
  synchronized void clear() {
    kept.values().forEach(FileCalls::close);
    kept.clear();
  }
}
