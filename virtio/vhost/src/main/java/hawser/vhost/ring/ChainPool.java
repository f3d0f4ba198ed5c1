package hawser.vhost.ring;

import org.jspecify.annotations.Nullable;

/** Chains of a packed ring, used again and again. Taken by one thread, given back by others. */
final class ChainPool {
  private final @Nullable Chain[] free;
  private final Completion completion;
  private int count;
  private int made;

  ChainPool(int size, Completion completion) {
    this.free = new Chain[size];
    this.completion = completion;
  }

  /** A chain, or null when as many are under way as there may be. */
  synchronized @Nullable Chain take() {
    if (count > 0) {
      return free[--count];
    }
    return made < free.length ? new Chain(made++, completion) : null;
  }

  synchronized void give(Chain chain) {
    free[count++] = chain;
  }
}
