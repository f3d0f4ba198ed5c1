package hawser.block;

import java.util.ArrayList;
import java.util.List;

/**
 * What the user of a node does with it, and what everybody else may do at the same time, as masks
 * of the four bits below. Two programs agree through image locks whose byte numbers are these bits'
 * positions (QEMU's block/file-posix.c).
 *
 * @param used what is done
 * @param shared what others may do
 */
public record Permissions(int used, int shared) {
  /** Reads see what was written; nobody changes the bytes in between. */
  public static final int CONSISTENT_READ = 1;

  /** Writes. */
  public static final int WRITE = 2;

  /** Writes that change no byte's value, as copy-on-read does. */
  public static final int WRITE_UNCHANGED = 4;

  /** Changes of the length. */
  public static final int RESIZE = 8;

  /** All of them. */
  public static final int ALL = 15;

  /** Uses nothing and minds nothing: takes no lock. */
  public static final Permissions NONE = new Permissions(0, ALL);

  /** A tool that reads. */
  public static final Permissions READ = new Permissions(CONSISTENT_READ, ALL);

  /** A tool that writes. */
  public static final Permissions WRITES = new Permissions(CONSISTENT_READ | WRITE, ALL);

  /**
   * A guest's disk: nobody else writes it, also where it is raw, for which QEMU's tools and servers
   * would let others.
   */
  public static final Permissions ONLY_WRITER =
      new Permissions(CONSISTENT_READ | WRITE, CONSISTENT_READ | WRITE_UNCHANGED);

  /**
   * What a format needs of the file that holds its metadata, when its own user needs this: nobody
   * else may write or resize it.
   */
  public Permissions forMetadata(boolean writable) {
    int more = writable ? WRITE | RESIZE : 0;
    return new Permissions(used | more | CONSISTENT_READ, shared & ~(WRITE | RESIZE));
  }

  /** What a format needs of a file that holds guest data only. */
  public Permissions forData() {
    int more = (used & WRITE_UNCHANGED) != 0 ? WRITE : 0;
    int resize = ((used | more) & WRITE) != 0 ? RESIZE : 0;
    return new Permissions(used | more | resize, shared & ~RESIZE);
  }

  /** What a disk needs of its backing file. */
  public Permissions forBacking() {
    int others = (shared & WRITE) != 0 ? WRITE | RESIZE : 0;
    return new Permissions(used & CONSISTENT_READ, others | CONSISTENT_READ | WRITE_UNCHANGED);
  }

  /** The same use, minding nothing that others do. */
  public Permissions sharingAll() {
    return new Permissions(used, ALL);
  }

  /** The names of some bits as QEMU prints them: {@code write, resize}. */
  public static String names(int mask) {
    String[] all = {"consistent read", "write", "write unchanged", "resize"};
    List<String> found = new ArrayList<>();
    for (int bit = 0; bit < all.length; bit++) {
      if ((mask & (1 << bit)) != 0) {
        found.add(all[bit]);
      }
    }
    return String.join(", ", found);
  }
}
