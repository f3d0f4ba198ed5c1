package hawser.block.format.qcow2.check;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The stored refcounts of {@link References#PAGE_CLUSTERS} clusters. Immutable.
 *
 * @param narrow a byte for each, {@link References#WIDE} for larger ones
 * @param wide all of them, unsigned; null when none exceeds a byte
 * @param unreadable those whose block cannot be read, as true; null when there are none
 */
@SuppressWarnings("ArrayRecordComponent") // shared by many readers and changed by none
record RefcountPage(byte[] narrow, long @Nullable [] wide, boolean @Nullable [] unreadable) {

  /** All zero: nothing is stored. */
  static final RefcountPage ZERO = new RefcountPage(new byte[References.PAGE_CLUSTERS], null, null);

  /** Whether nothing is stored for any of its clusters. */
  boolean nothing() {
    return wide == null && unreadable == null && Arrays.mismatch(narrow, ZERO.narrow) < 0;
  }

  /** The refcount of a cluster by its index in the page. */
  long get(int index) {
    return wide != null ? wide[index] : narrow[index] & 0xff;
  }

  /** Whether it could be read. */
  boolean readable(int index) {
    return unreadable == null || !unreadable[index];
  }

  long bytes() {
    return narrow.length + (wide == null ? 0 : 8L * wide.length);
  }
}
