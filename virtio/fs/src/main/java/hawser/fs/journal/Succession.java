package hawser.fs.journal;

import java.util.Map;

/**
 * What a daemon needs that takes the place of one that died, or may die itself.
 *
 * @param store keeps descriptors for a successor
 * @param left the descriptors that a predecessor left, by their keys, which are the daemon's now
 */
public record Succession(DescriptorStore store, Map<Long, Integer> left) {}
