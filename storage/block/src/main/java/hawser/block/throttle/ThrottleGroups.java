package hawser.block.throttle;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The throttle groups of one program, by name. Safe from any thread. */
public final class ThrottleGroups {
  private final Map<String, ThrottleGroup> groups = new ConcurrentHashMap<>();

  /** No groups yet. */
  public ThrottleGroups() {}

  /** Adds one; false when there is one of that name already. */
  public boolean add(String name, ThrottleGroup group) {
    return groups.putIfAbsent(name, group) == null;
  }

  /** The group of that name. */
  public Optional<ThrottleGroup> named(String name) {
    return Optional.ofNullable(groups.get(name));
  }
}
