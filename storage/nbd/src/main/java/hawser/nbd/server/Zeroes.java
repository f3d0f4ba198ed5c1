package hawser.nbd.server;

import hawser.nbd.ReplyStyle;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Finds reads that are answered by a hole. */
final class Zeroes {
  /** Below this many bytes a hole saves nothing worth the look. */
  private static final int WORTH = 1024;

  private Zeroes() {}

  /**
   * Whether these bytes may and should be answered by a hole. Data that is not zero usually shows
   * it in the first eight bytes, so asking costs nothing then.
   */
  static boolean asHole(ReplyStyle style, MemorySegment data) {
    return style != ReplyStyle.SIMPLE && data.byteSize() >= WORTH && allZero(data);
  }

  /** Whether every byte is zero. */
  static boolean allZero(MemorySegment data) {
    long bytes = data.byteSize();
    long at = 0;
    for (; at + 8 <= bytes; at += 8) {
      if (data.get(ValueLayout.JAVA_LONG_UNALIGNED, at) != 0) {
        return false;
      }
    }
    for (; at < bytes; at++) {
      if (data.get(ValueLayout.JAVA_BYTE, at) != 0) {
        return false;
      }
    }
    return true;
  }
}
