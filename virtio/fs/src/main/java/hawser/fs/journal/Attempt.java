package hawser.fs.journal;

import hawser.fs.state.Identity;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a daemon had done for a request when it died, perhaps without having answered it. */
public final class Attempt {
  /** {@link #size()} of a request that does not write to the end of a file. */
  public static final long NO_SIZE = -1;

  private final List<Long> found = new ArrayList<>();
  private final List<Long> opened = new ArrayList<>();
  private Change.@Nullable Begun begun;
  private long size = NO_SIZE;
  private int forgotten;
  private boolean closed;

  Attempt() {}

  void note(Change change) {
    switch (change) {
      case Change.Found f -> found.add(f.nodeId());
      case Change.Opened o -> opened.add(o.handle());
      case Change.Closed _ -> closed = true;
      case Change.Forgotten f -> {
        // What it has found itself it takes back when it fails.
        if (!found.remove(Long.valueOf(f.nodeId()))) {
          forgotten++;
        }
      }
      case Change.Begun b -> begun = b;
      case Change.Appending a -> size = a.size();
      case Change.Undone _ -> {
        found.clear();
        opened.clear();
      }
      default -> throw new AssertionError("not of a request: " + change);
    }
  }

  /** The inodes that the guest was told of, each as often as it was. */
  public List<Long> found() {
    return List.copyOf(found);
  }

  /** The files that were opened, by their handles. */
  public List<Long> opened() {
    return List.copyOf(opened);
  }

  /** Whether it has closed a file. */
  public boolean closed() {
    return closed;
  }

  /** How many inodes, of those that it names, it has forgotten. */
  public int forgotten() {
    return forgotten;
  }

  /** What its first name led to; null when it had not begun. */
  public @Nullable Identity first() {
    return begun == null ? null : begun.first();
  }

  /** The same of its second name. */
  public @Nullable Identity second() {
    return begun == null ? null : begun.second();
  }

  /** The end of the file that it began to write to, or {@link #NO_SIZE}. */
  public long size() {
    return size;
  }
}
