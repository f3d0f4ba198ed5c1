package hawser.fuzz.crash;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What each sector of a disk may hold after a crash: what it held at the last flush, or anything
 * written to it since. A sector is filled with one byte, its tag.
 */
final class DiskModel {
  /** Bytes of a sector. */
  static final int SECTOR = 512;

  private byte[] flushed;
  private byte[] current;
  private List<Set<Byte>> since;

  DiskModel(byte[] tags) {
    this.flushed = tags.clone();
    this.current = tags.clone();
    this.since = empty(tags.length);
  }

  private static List<Set<Byte>> empty(int sectors) {
    var list = new ArrayList<Set<Byte>>();
    for (int i = 0; i < sectors; i++) {
      list.add(Set.of());
    }
    return list;
  }

  int sectors() {
    return current.length;
  }

  /** The tag that a sector holds while nothing crashes. */
  byte current(int sector) {
    return current[sector];
  }

  void write(int first, int count, byte tag) {
    for (int i = first; i < first + count; i++) {
      current[i] = tag;
      allow(i, tag);
    }
  }

  /** A discard ended with this tag, and may turn out either way. */
  void discarded(int sector, byte tag) {
    current[sector] = tag;
    allow(sector, tag);
    allow(sector, (byte) 0);
  }

  /** A request that failed may have left this tag. */
  void allow(int sector, byte tag) {
    var more = new HashSet<Byte>(since.get(sector));
    more.add(tag);
    since.set(sector, more);
  }

  void flush() {
    flushed = current.clone();
    since = empty(current.length);
  }

  /** The disk became longer by zeroes. */
  void grow(int sectors) {
    flushed = Arrays.copyOf(flushed, sectors);
    current = Arrays.copyOf(current, sectors);
    while (since.size() < sectors) {
      since.add(Set.of());
    }
  }

  boolean allows(int sector, byte tag) {
    return flushed[sector] == tag || since.get(sector).contains(tag);
  }

  String allowed(int sector) {
    return flushed[sector] + " or " + since.get(sector);
  }
}
