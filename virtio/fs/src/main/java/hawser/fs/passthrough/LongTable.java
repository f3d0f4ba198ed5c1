package hawser.fs.passthrough;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A map from numbers to objects that is read without a lock and without making objects. Writers
 * take turns.
 */
final class LongTable<V> {
  private static final int CAPACITY_MIN = 64;

  private volatile AtomicReferenceArray<@Nullable Entry<V>> buckets =
      new AtomicReferenceArray<>(CAPACITY_MIN);
  private int count;

  private static final class Entry<V> {
    final long key;
    final V value;
    volatile @Nullable Entry<V> next;

    Entry(long key, V value, @Nullable Entry<V> next) {
      this.key = key;
      this.value = value;
      this.next = next;
    }
  }

  private static int bucket(long key, int capacity) {
    return (int) ((key * 0x9e3779b97f4a7c15L) >>> 32) & (capacity - 1);
  }

  @Nullable V get(long key) {
    AtomicReferenceArray<@Nullable Entry<V>> now = buckets;
    @Nullable Entry<V> entry = now.get(bucket(key, now.length()));
    while (entry != null && entry.key != key) {
      entry = entry.next;
    }
    return entry == null ? null : entry.value;
  }

  /** Makes room for so many more at once. */
  synchronized void expect(int more) {
    int wanted = Math.max(CAPACITY_MIN, Integer.highestOneBit(Math.max(1, count + more - 1)) << 1);
    if (wanted > buckets.length()) {
      resize(wanted);
    }
  }

  /** Adds a value; the key must be new. */
  synchronized void add(long key, V value) {
    if (count >= buckets.length()) {
      resize(buckets.length() * 2);
    }
    put(buckets, key, value);
    count++;
  }

  private void put(AtomicReferenceArray<@Nullable Entry<V>> into, long key, V value) {
    int at = bucket(key, into.length());
    into.set(at, new Entry<>(key, value, into.get(at)));
  }

  /** Readers of the old buckets go on finding what they look for: its chains stay as they are. */
  private void resize(int capacity) {
    var larger = new AtomicReferenceArray<@Nullable Entry<V>>(capacity);
    forEach((key, value) -> put(larger, key, value));
    buckets = larger;
  }

  /** Removes a value; null when there is none of that key. */
  synchronized @Nullable V remove(long key) {
    AtomicReferenceArray<@Nullable Entry<V>> now = buckets;
    int at = bucket(key, now.length());
    @Nullable Entry<V> before = null;
    for (@Nullable Entry<V> entry = now.get(at); entry != null; entry = entry.next) {
      if (entry.key == key) {
        if (before == null) {
          now.set(at, entry.next);
        } else {
          before.next = entry.next;
        }
        count--;
        return entry.value;
      }
      before = entry;
    }
    return null;
  }

  /** Removes everything and hands each value over. */
  synchronized void clear(Consumer<V> removed) {
    AtomicReferenceArray<@Nullable Entry<V>> old = buckets;
    buckets = new AtomicReferenceArray<>(CAPACITY_MIN);
    count = 0;
    forEach(old, (_, value) -> removed.accept(value));
  }

  synchronized int size() {
    return count;
  }

  /** What is done with each entry. */
  interface Visitor<V> {
    void visit(long key, V value);
  }

  /** Visits every entry; nobody may write meanwhile. */
  synchronized void forEach(Visitor<V> visitor) {
    forEach(buckets, visitor);
  }

  private static <V> void forEach(
      AtomicReferenceArray<@Nullable Entry<V>> buckets, Visitor<V> visitor) {
    for (int i = 0; i < buckets.length(); i++) {
      for (@Nullable Entry<V> entry = buckets.get(i); entry != null; entry = entry.next) {
        visitor.visit(entry.key, entry.value);
      }
    }
  }
}
