package hawser.block.throttle;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import java.util.Optional;

/**
 * Opens {@code throttle}: a disk whose requests wait as its group says. The group is a named one,
 * {@code throttle-group=NAME}, or one of its own, {@code limits.iops-total=100}; with both, the
 * limits make the group if it is not there yet.
 */
public final class ThrottleDriver implements Driver {
  /** The driver; it has no state. */
  public ThrottleDriver() {}

  @Override
  public String name() {
    return "throttle";
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    Optional<String> name = options.text("throttle-group");
    Optional<Options> limits = options.child("limits");
    if (limits.isPresent()) {
      ThrottleGroup own = ThrottleGroup.take(limits.get(), "");
      if (!limits.get().left().isEmpty()) {
        throw new BlockFault(
            Errno.EINVAL,
            "Invalid parameter 'limits." + limits.get().left().iterator().next() + "'");
      }
      if (name.isEmpty()) {
        return new ThrottleNode(opener.child(options, "file", mode), own);
      }
      // A second disk of the group brings the same limits again.
      boolean _ = opener.throttleGroups().add(name.get(), own);
    }
    if (name.isEmpty()) {
      throw new BlockFault(Errno.EINVAL, "Please specify a throttle group");
    }
    ThrottleGroup group =
        opener
            .throttleGroups()
            .named(name.get())
            .orElseThrow(
                () ->
                    new BlockFault(
                        Errno.EINVAL, "Throttle group '" + name.get() + "' does not exist"));
    return new ThrottleNode(opener.child(options, "file", mode), group);
  }
}
