package hawser.block.filter.blkdebug;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.Options;

/**
 * How requests must be cut before a blkdebug node sees them; bytes, 0 for no limit.
 *
 * @param align what offsets and lengths must be multiples of; at least 1
 * @param maxTransfer largest read or write
 * @param zeroUnit zeroing of less than this is written as data
 * @param maxZero largest zeroing
 * @param discardUnit discards are cut at multiples of this
 * @param maxDiscard largest discard
 */
record RequestSizes(
    int align, int maxTransfer, int zeroUnit, int maxZero, int discardUnit, int maxDiscard) {

  static RequestSizes take(Options options, int alignBelow) throws BlockFault {
    long align = options.size("align").orElse(0);
    if (align != 0 && (align >= Integer.MAX_VALUE || Long.bitCount(align) != 1)) {
      throw unmet("align", align);
    }
    int unit = (int) Math.max(align, alignBelow);
    int maxTransfer = size(options, "max-transfer", unit);
    int zeroUnit = size(options, "opt-write-zero", unit);
    int maxZero = size(options, "max-write-zero", Math.max(zeroUnit, unit));
    int discardUnit = size(options, "opt-discard", unit);
    int maxDiscard = size(options, "max-discard", Math.max(discardUnit, unit));
    return new RequestSizes(
        (int) Math.max(align, 1), maxTransfer, zeroUnit, maxZero, discardUnit, maxDiscard);
  }

  private static int size(Options options, String key, int unit) throws BlockFault {
    long value = options.size(key).orElse(0);
    if (value >= Integer.MAX_VALUE || value % unit != 0) {
      throw unmet(key, value);
    }
    return (int) value;
  }

  private static BlockFault unmet(String key, long value) {
    return new BlockFault(Errno.EINVAL, "Cannot meet constraints with " + key + " " + value);
  }

  /** Whether requests have to be cut at all. */
  boolean any() {
    return (maxTransfer | zeroUnit | maxZero | discardUnit | maxDiscard) != 0;
  }

  /**
   * How long the next piece of a request may be: up to the next multiple of {@code unit} at either
   * end, and whole units of at most {@code max} in the middle.
   */
  static long piece(long offset, long bytes, int unit, int max) {
    long most = max == 0 ? Long.MAX_VALUE : max;
    if (unit <= 1) {
      return Math.min(bytes, most);
    }
    long head = offset % unit;
    if (head != 0) {
      return Math.min(Math.min(bytes, unit - head), most);
    }
    long whole = Ranges.alignDown(bytes, unit);
    return Math.min(whole == 0 ? bytes : whole, most);
  }
}
