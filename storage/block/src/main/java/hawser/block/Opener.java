package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.block.file.FileDriver;
import hawser.block.format.raw.RawDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Opens stacks of nodes from names and options, under one policy for the names that images contain.
 * Immutable; safe from any thread.
 */
public final class Opener {
  /** The deepest chain of nodes opened; a longer one is taken for a loop. */
  public static final int DEPTH_MAX = 200;

  /** How many bytes a format driver gets to recognise its own. */
  public static final int PROBE_BYTES = 2048;

  private final List<Driver> drivers;
  private final OpenPolicy policy;
  private final int depth;

  /** All drivers of this module, and {@code extra} ones such as the NBD client. */
  public Opener(OpenPolicy policy, Driver... extra) {
    this(builtIn(extra), policy, 0);
  }

  private Opener(List<Driver> drivers, OpenPolicy policy, int depth) {
    this.drivers = drivers;
    this.policy = policy;
    this.depth = depth;
  }

  private static List<Driver> builtIn(Driver... extra) {
    var all = new ArrayList<Driver>();
    all.add(new FileDriver());
    all.add(new RawDriver());
    all.addAll(List.of(extra));
    return List.copyOf(all);
  }

  /** The policy for names found inside images. */
  public OpenPolicy policy() {
    return policy;
  }

  /** Every driver, in the order in which formats are probed. */
  public List<Driver> drivers() {
    return drivers;
  }

  /** The driver of that name. */
  public Optional<Driver> driver(String name) {
    return drivers.stream().filter(driver -> driver.name().equals(name)).findFirst();
  }

  /**
   * Opens a disk by name: a path, a {@code json:} name or a URI. With no {@code format} it is
   * probed.
   */
  public BlockNode open(String name, @Nullable String format, OpenMode mode) throws BlockFault {
    var options = new Options();
    if (name.startsWith("json:")) {
      options = fromJson(name);
      if (format != null && !options.has("driver")) {
        options.put("driver", Json.of(format));
      }
      return open(options, mode);
    }
    options.put("file", new Json.Obj(ImageName.options(name)));
    if (format != null) {
      options.put("driver", Json.of(format));
    }
    return open(options, mode);
  }

  private static Options fromJson(String name) throws BlockFault {
    try {
      if (JsonReader.read(name.substring("json:".length())) instanceof Json.Obj tree) {
        var options = new Options();
        tree.members().forEach(options::putDotted);
        return options;
      }
    } catch (IllegalArgumentException e) {
      throw new BlockFault(Errno.EINVAL, "Could not parse the JSON options: " + e.getMessage(), e);
    }
    throw new BlockFault(Errno.EINVAL, "Invalid JSON object given");
  }

  /** Opens a disk from options; without {@code driver}, the format of {@code file} is probed. */
  public BlockNode open(Options options, OpenMode mode) throws BlockFault {
    if (depth >= DEPTH_MAX) {
      throw new BlockFault(Errno.ELOOP, "more than " + DEPTH_MAX + " nodes on top of one another");
    }
    var below = new Opener(drivers, policy, depth + 1);
    Optional<String> named = options.text("driver");
    String driverName = named.isPresent() ? named.get() : probe(options, below, mode);
    Driver driver =
        driver(driverName)
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Unknown driver '" + driverName + "'"));
    BlockNode node = driver.open(options, below, mode);
    if (!options.left().isEmpty()) {
      node.close();
      throw new BlockFault(
          Errno.EINVAL,
          "Block driver '%s' does not support the option '%s'"
              .formatted(driverName, options.left().iterator().next()));
    }
    return node;
  }

  private String probe(Options options, Opener below, OpenMode mode) throws BlockFault {
    var file =
        options
            .child("file")
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Must specify either driver or file"));
    String format;
    try (var arena = Arena.ofConfined();
        BlockNode node = below.open(new Options(file.tree()), mode.withWritable(false))) {
      long bytes = Math.min(PROBE_BYTES, node.length());
      MemorySegment head = arena.allocate(Math.max(bytes, 1), 4096).asSlice(0, bytes);
      node.read(head, 0);
      format = bestMatch(head, node.name());
    }
    options.put("file", file.tree());
    return format;
  }

  /** The format whose driver is surest of these first bytes; raw when none is. */
  public String bestMatch(MemorySegment head, String name) {
    String best = "raw";
    int surest = 0;
    for (Driver driver : drivers) {
      int sure = driver.probe(head, name);
      if (sure > surest) {
        surest = sure;
        best = driver.name();
      }
    }
    return best;
  }

  /** The driver that a name's protocol asks for: {@code file} for a path. */
  public Driver protocol(String name) throws BlockFault {
    String protocol = ImageName.protocol(name);
    String driver =
        ImageName.options(name).get("driver") instanceof Json.Str(String d) ? d : "file";
    return driver(driver)
        .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Unknown protocol '" + protocol + "'"));
  }

  /**
   * Makes an empty file, or whatever the name's protocol has in its place, for a format to write
   * into; what was there is lost.
   */
  public void createFile(String name) throws BlockFault {
    Driver protocol = protocol(name);
    var options = new CreateOptions(protocol.createOptions(), List.of());
    protocol.create(name, options.set("size", "0"), this);
  }
}
