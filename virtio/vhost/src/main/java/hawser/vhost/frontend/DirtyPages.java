package hawser.vhost.frontend;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import java.lang.invoke.VarHandle;
import java.util.BitSet;

/**
 * The log of written pages as the front-end reads it (vhost-user, "Migration"). The back-end marks
 * while we look.
 */
public final class DirtyPages implements AutoCloseable {
  private static final VarHandle WORD = JAVA_INT.varHandle();

  private final SharedFile file;

  /** A log for guest addresses below {@code end}. */
  public DirtyPages(long end) throws BlockFault {
    long pages = Ranges.unitsFor(end, GuestRam.PAGE_BYTES);
    file =
        SharedFile.create("dirty-log", Math.max(8, Ranges.alignUp(Ranges.unitsFor(pages, 8), 8)));
  }

  /** Bytes of the log. */
  public long bytes() {
    return file.bytes();
  }

  /** Its file, which stays ours. */
  public int descriptor() {
    return file.descriptor();
  }

  /** The pages marked since the last such question, by guest address. */
  public BitSet take() {
    var pages = new BitSet();
    for (long at = 0; at < file.bytes(); at += Integer.BYTES) {
      int word = (int) WORD.getAndSet(file.memory(), at, 0);
      for (; word != 0; word &= word - 1) {
        pages.set((int) (at * Byte.SIZE) + Integer.numberOfTrailingZeros(word));
      }
    }
    return pages;
  }

  @Override
  public void close() {
    file.close();
  }
}
