package hawser.nbd.server;

import hawser.block.ZeroBytes;
import hawser.nbd.ReplyStyle;
import java.lang.foreign.MemorySegment;

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
    return style != ReplyStyle.SIMPLE && data.byteSize() >= WORTH && ZeroBytes.only(data);
  }
}
