package hawser.fs.journal;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What was done for the latest requests, the last of which may not have been answered. Not safe for
 * threads, but for {@link #earlier}.
 */
public final class Attempts {
  /** Steps to know at most: many more than requests can be under way. */
  private static final int STEPS_MAX = 16 << 10;

  private record Step(long unique, Change change) {}

  private final Deque<Step> steps = new ArrayDeque<>();
  private Map<Long, Attempt> attempts = new HashMap<>();
  private volatile Map<Long, Attempt> earlier = Map.of();

  /** None. */
  public Attempts() {}

  /** Takes a change into account, if it belongs to a request. */
  public void note(Change change) {
    long unique =
        switch (change) {
          case Change.Found f -> f.unique();
          case Change.Opened o -> o.unique();
          case Change.Closed c -> c.unique();
          case Change.Forgotten f -> f.unique();
          case Change.Begun b -> b.unique();
          case Change.Appending a -> a.unique();
          case Change.Undone u -> u.unique();
          default -> 0;
        };
    if (unique == 0) {
      return;
    }
    steps.add(new Step(unique, change));
    attempts.computeIfAbsent(unique, _ -> new Attempt()).note(change);
    if (steps.size() > STEPS_MAX) {
      attempts.remove(steps.remove().unique());
    }
  }

  /** What has been done for a request as far as noted; null when nothing. */
  public @Nullable Attempt of(long unique) {
    return attempts.get(unique);
  }

  /** All that has been noted was done by a daemon that died: {@link #earlier} knows it. */
  public void inherited() {
    earlier = attempts;
    attempts = new HashMap<>();
  }

  /** What a daemon had done for a request that died; null when nothing. Safe from any thread. */
  public @Nullable Attempt earlier(long unique) {
    return earlier.get(unique);
  }

  /** The guest has begun anew, and with it the numbers of its requests. */
  public void clear() {
    steps.clear();
    attempts.clear();
    earlier = Map.of();
  }

  /** Every step that is known, in the order in which they were made. */
  public void forEach(Consumer<Change> each) {
    steps.forEach(step -> each.accept(step.change()));
  }
}
