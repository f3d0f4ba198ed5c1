package hawser.block.nothing;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.ImageName;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Opens {@code null-co} and {@code null-aio}, which are two names for the same disk here. */
public final class NullDriver implements Driver {
  private static final long USUAL_BYTES = 1L << 30;

  private final String name;

  /** {@code null-co} or {@code null-aio}. */
  public NullDriver(String name) {
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Set<String> protocols() {
    return Set.of(name);
  }

  @Override
  public Options fromName(String given) throws BlockFault {
    if (!given.equals(name + "://")) {
      throw new BlockFault(
          Errno.EINVAL, "The only allowed filename for this driver is '" + name + "://'");
    }
    return new Options();
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    Map<String, Json> given = new LinkedHashMap<>();
    for (String key : new String[] {"size", "latency-ns", "read-zeroes"}) {
      options.peek(key).ifPresent(value -> given.put(key, value));
    }
    long size = options.size("size").orElse(USUAL_BYTES);
    long latency = options.number("latency-ns").orElse(0);
    if (latency < 0) {
      throw new BlockFault(Errno.EINVAL, "latency-ns is invalid");
    }
    boolean zeroes = options.truth("read-zeroes").orElse(false);
    String shown = given.isEmpty() ? name + "://" : ImageName.json(name, given, null, null);
    return new NullNode(name, shown, size, latency, zeroes, !mode.writable());
  }
}
