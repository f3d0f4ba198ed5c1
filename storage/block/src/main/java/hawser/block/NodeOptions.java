package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.OpenMode.Cache;
import hawser.block.OpenMode.DetectZeroes;
import hawser.block.filter.DetectZeroesNode;
import java.util.Locale;
import java.util.Optional;

/**
 * The options that every kind of node has, and what they make of the mode it was to be opened in.
 *
 * @param mode how the node is to be opened
 * @param autoReadOnly whether to open it read-only when the host does not let us write
 */
record NodeOptions(OpenMode mode, boolean autoReadOnly) {

  /** Takes them out of {@code options}. */
  static NodeOptions take(Options options, OpenMode asked) throws BlockFault {
    OpenMode mode = asked;
    options.text("node-name");
    Options cache = options.group("cache");
    Optional<Boolean> direct = cache.truth("direct");
    Optional<Boolean> noFlush = cache.truth("no-flush");
    mode =
        mode.withCache(
            cacheOf(
                direct.orElse(mode.cache().direct()),
                noFlush.orElse(mode.cache().noFlush()),
                mode.cache().writethrough()));
    mode = withDiscard(options.text("discard"), mode);
    mode = withZeroes(options.text("detect-zeroes"), mode);
    if (options.truth("read-only").orElse(false)) {
      mode = mode.withWritable(false);
    }
    boolean auto = options.truth("auto-read-only").orElse(false);
    if (options.truth("force-share").orElse(false)) {
      mode = mode.withForceShare(true);
    }
    if (mode.forceShare() && mode.writable()) {
      throw new BlockFault(Errno.EINVAL, "force-share=on can only be used with read-only images");
    }
    return new NodeOptions(mode, auto);
  }

  private static Cache cacheOf(boolean direct, boolean noFlush, boolean writethrough) {
    if (noFlush) {
      return direct ? Cache.DIRECT_UNSAFE : Cache.UNSAFE;
    }
    if (direct) {
      return writethrough ? Cache.DIRECTSYNC : Cache.NONE;
    }
    return writethrough ? Cache.WRITETHROUGH : Cache.WRITEBACK;
  }

  private static OpenMode withDiscard(Optional<String> discard, OpenMode mode) throws BlockFault {
    if (discard.isEmpty()) {
      return mode;
    }
    return switch (discard.get()) {
      case "unmap", "on" -> mode.withUnmap(true);
      case "ignore", "off" -> mode.withUnmap(false);
      default -> throw new BlockFault(Errno.EINVAL, "Invalid discard option");
    };
  }

  private static OpenMode withZeroes(Optional<String> name, OpenMode mode) throws BlockFault {
    if (name.isEmpty()) {
      return mode;
    }
    for (DetectZeroes one : DetectZeroes.values()) {
      if (one.name().toLowerCase(Locale.ROOT).equals(name.get())) {
        if (one == DetectZeroes.UNMAP && !mode.unmap()) {
          throw new BlockFault(
              Errno.EINVAL,
              "setting detect-zeroes to unmap is not allowed without setting discard operation to"
                  + " unmap");
        }
        return mode.withDetectZeroes(one);
      }
    }
    throw new BlockFault(Errno.EINVAL, "invalid parameter value: " + name.get());
  }

  /** How the driver opens itself and its children: zeroes are looked for once, at the top. */
  OpenMode childMode() {
    return mode.withDetectZeroes(DetectZeroes.OFF);
  }

  /** Puts what the options ask for on top of the opened node. */
  BlockNode wrap(BlockNode node) {
    return mode.detectZeroes() == DetectZeroes.OFF || !mode.writable()
        ? node
        : new DetectZeroesNode(node, mode.detectZeroes() == DetectZeroes.UNMAP);
  }
}
