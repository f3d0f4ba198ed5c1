package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.file.FileDriver;
import hawser.block.filter.CopyOnReadDriver;
import hawser.block.filter.blkdebug.BlkdebugDriver;
import hawser.block.format.qcow2.Qcow2Driver;
import hawser.block.format.raw.RawDriver;
import hawser.block.nothing.NullDriver;
import hawser.block.throttle.ThrottleDriver;
import hawser.block.throttle.ThrottleGroups;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
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
  private final Consumer<String> warnings;
  private final ThrottleGroups throttleGroups;
  private final List<String> chain;
  private final int depth;

  /** All drivers of this module, and {@code extra} ones such as the NBD client. */
  public Opener(OpenPolicy policy, Driver... extra) {
    this(builtIn(extra), policy, text -> {}, new ThrottleGroups(), List.of(), 0);
  }

  private Opener(
      List<Driver> drivers,
      OpenPolicy policy,
      Consumer<String> warnings,
      ThrottleGroups throttleGroups,
      List<String> chain,
      int depth) {
    this.drivers = drivers;
    this.policy = policy;
    this.warnings = warnings;
    this.throttleGroups = throttleGroups;
    this.chain = chain;
    this.depth = depth;
  }

  private static List<Driver> builtIn(Driver... extra) {
    var all = new ArrayList<Driver>();
    all.add(FileDriver.regular());
    all.add(FileDriver.hostDevice());
    all.add(new RawDriver());
    all.add(FileDriver.hostCdrom());
    all.add(new BlkdebugDriver());
    all.add(new ThrottleDriver());
    all.add(new CopyOnReadDriver());
    all.add(new NullDriver("null-co"));
    all.add(new NullDriver("null-aio"));
    all.add(new Qcow2Driver());
    all.addAll(List.of(extra));
    return List.copyOf(all);
  }

  /**
   * The same, telling {@code warnings} what a person should know of an image that opens all the
   * same: QEMU's text, over several lines where QEMU's is.
   */
  public Opener warning(Consumer<String> warnings) {
    return new Opener(drivers, policy, warnings, throttleGroups, chain, depth);
  }

  /** Passes a warning on. */
  public void warn(String text) {
    warnings.accept(text);
  }

  /** The same, with other throttle groups. */
  public Opener throttling(ThrottleGroups groups) {
    return new Opener(drivers, policy, warnings, groups, chain, depth);
  }

  /** The throttle groups that nodes opened with this can name. */
  public ThrottleGroups throttleGroups() {
    return throttleGroups;
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
    for (Driver driver : drivers) {
      if (driver.name().equals(name)) {
        return Optional.of(driver);
      }
    }
    return Optional.empty();
  }

  /**
   * Opens a disk by name: a path, a {@code json:} name or a URI. With no {@code format} it is
   * probed.
   */
  public BlockNode open(String name, @Nullable String format, OpenMode mode) throws BlockFault {
    return open(name, format, new Options(), mode);
  }

  /** As above, with more options, which count more than those of a {@code json:} name. */
  public BlockNode open(String name, @Nullable String format, Options extra, OpenMode mode)
      throws BlockFault {
    Options options;
    if (ImageName.isJson(name)) {
      options = ImageName.fromJson(name);
      extra.tree().members().forEach(options::put);
    } else {
      options = new Options(extra.tree());
    }
    if (format != null) {
      options.put("driver", Json.of(format));
    }
    if (!ImageName.isJson(name)) {
      place(options, name, true);
    }
    return open(options, mode);
  }

  /**
   * Puts a name where it belongs in a stack that options describe: to the protocol at its bottom.
   *
   * @param format whether a node without a driver is to be probed; otherwise it is the protocol
   * @throws BlockFault when the name's protocol is unknown
   */
  public void place(Options options, String name, boolean format) throws BlockFault {
    Optional<Driver> driver =
        options.peek("driver").orElse(null) instanceof Json.Str(String s)
            ? driver(s)
            : Optional.empty();
    if (driver.isEmpty() && !format) {
      ImageName.options(name, this).tree().members().forEach(options::put);
    } else if (driver.isEmpty() || driver.get().format()) {
      Options file = options.child("file").orElseGet(Options::new);
      place(file, name, false);
      options.put("file", file.tree());
    } else {
      driver.get().fromName(name).tree().members().forEach(options::put);
    }
  }

  /** Opens a disk from options; without {@code driver}, the format of {@code file} is probed. */
  public BlockNode open(Options options, OpenMode mode) throws BlockFault {
    BlockNode opened = options.takeOpened();
    if (opened != null) {
      return claimed(opened, mode);
    }
    if (depth >= DEPTH_MAX) {
      throw new BlockFault(Errno.ELOOP, "more than " + DEPTH_MAX + " nodes on top of one another");
    }
    var below = new Opener(drivers, policy, warnings, throttleGroups, chain, depth + 1);
    NodeOptions common = NodeOptions.take(options, mode);
    Optional<String> named = options.text("driver");
    String driverName = named.isPresent() ? named.get() : guess(options, below, common.mode());
    Driver driver =
        driver(driverName)
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Unknown driver '" + driverName + "'"));
    try {
      return common.wrap(openAs(driver, options, below, common));
    } finally {
      BlockNode left = options.takeOpened("file");
      if (left != null) {
        left.close();
      }
    }
  }

  private static BlockNode openAs(Driver driver, Options options, Opener below, NodeOptions common)
      throws BlockFault {
    BlockNode node;
    try {
      node = driver.open(options, below, common.childMode());
    } catch (BlockFault e) {
      boolean denied =
          e.errno() == Errno.EACCES || e.errno() == Errno.EROFS || e.errno() == Errno.EPERM;
      if (!common.autoReadOnly() || !common.mode().writable() || !denied || driver.format()) {
        throw e;
      }
      node = driver.open(options, below, common.childMode().withWritable(false));
    }
    if (!options.left().isEmpty()) {
      node.close();
      throw new BlockFault(
          Errno.EINVAL,
          (driver.format()
                  ? "Block format '%s' does not support the option '%s'"
                  : "Block protocol '%s' doesn't support the option '%s'")
              .formatted(driver.name(), options.left().iterator().next()));
    }
    return node;
  }

  /**
   * Opens the child under {@code key} of a node's options.
   *
   * @throws BlockFault with QEMU's words when it is missing, or names a node, of which there are
   *     none here
   */
  public BlockNode child(Options options, String key, OpenMode mode) throws BlockFault {
    Optional<Options> child = options.child(key);
    if (child.isPresent()) {
      return claimed(open(protocol(child.get()), mode), mode);
    }
    Optional<String> name = options.text(key);
    throw new BlockFault(
        Errno.EINVAL,
        name.isPresent()
            ? "Cannot find device='%1$s' nor node-name='%1$s'".formatted(name.get())
            : "A block device must be specified for \"" + key + "\"");
  }

  /** What holds a format's bytes is found by its name when nobody says which driver it is. */
  private Options protocol(Options file) throws BlockFault {
    if (!file.has("driver") && file.has("filename")) {
      place(file, file.needed("filename"), false);
    }
    return file;
  }

  private static BlockNode claimed(BlockNode node, OpenMode mode) throws BlockFault {
    try {
      if (mode.writable() && node.readOnly()) {
        throw new BlockFault(Errno.EACCES, "Block node is read-only");
      }
      node.claim(mode.forceShare() ? mode.permissions().sharingAll() : mode.permissions());
    } catch (BlockFault e) {
      node.close();
      throw e;
    }
    return node;
  }

  /**
   * Opens the disk that an image names as what lies beneath it. Option {@code backing} of the
   * overlay replaces the name ({@code backing=null}: nothing) or adds to it.
   *
   * @param name as the image has it; empty when it has none
   * @param format the driver that the image asks for, or null to probe
   * @param file the node that holds the overlay, whose folder a relative path starts from
   * @return null when there is no backing disk, or none is wanted
   * @throws BlockFault when it cannot be opened, or the policy forbids the name
   */
  public @Nullable BlockNode backing(
      Options overlay, String name, @Nullable String format, BlockNode file, OpenMode mode)
      throws BlockFault {
    Optional<Json> replaced = overlay.peek("backing");
    if (replaced.isPresent() && !(replaced.get() instanceof Json.Obj)) {
      return noBacking(overlay.any("backing").orElseThrow());
    }
    Options options = overlay.child("backing").orElseGet(Options::new);
    if (!mode.backing() || (name.isEmpty() && options.left().isEmpty())) {
      return null;
    }
    try {
      if (options.has("file") || name.isEmpty()) {
        return open(options, mode.forBacking());
      }
      return named(name, format, options, file, mode.forBacking());
    } catch (BlockFault e) {
      throw new BlockFault(e.errno(), "Could not open backing file: " + e.getMessage(), e);
    }
  }

  private static @Nullable BlockNode noBacking(Json value) throws BlockFault {
    if (value instanceof Json.Null || (value instanceof Json.Str(String s) && s.isEmpty())) {
      return null;
    }
    String node = value instanceof Json.Str(String s) ? s : value.toString();
    throw new BlockFault(
        Errno.EINVAL, "Cannot find device='%1$s' nor node-name='%1$s'".formatted(node));
  }

  private BlockNode named(
      String name, @Nullable String format, Options extra, BlockNode file, OpenMode mode)
      throws BlockFault {
    String full = ImageName.resolve(file, name);
    if (!policy.mayOpen(full, "backing file")) {
      throw new BlockFault(Errno.EPERM, "the policy forbids opening backing file '" + full + "'");
    }
    if (chain.contains(full)) {
      throw new BlockFault(Errno.ELOOP, "Backing file '" + full + "' creates an infinite loop.");
    }
    var longer = new ArrayList<>(chain);
    longer.add(full);
    var below =
        new Opener(drivers, policy, warnings, throttleGroups, List.copyOf(longer), depth + 1);
    String driver = extra.has("driver") ? null : format;
    return below.open(full, driver, extra, mode);
  }

  private String guess(Options options, Opener below, OpenMode mode) throws BlockFault {
    var file =
        options
            .child("file")
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Must specify either driver or file"));
    BlockNode node = below.open(protocol(file), mode.withPermissions(Permissions.NONE));
    options.putOpened("file", node).markProbed();
    try (var arena = Arena.ofConfined()) {
      long bytes = Math.min(PROBE_BYTES, node.length());
      MemorySegment head = arena.allocate(Math.max(bytes, 1), 4096).asSlice(0, bytes);
      node.read(head, 0);
      return bestMatch(head, node.name());
    } catch (BlockFault e) {
      options.takeOpened("file");
      node.close();
      throw new BlockFault(
          e.errno(), "Could not read image for determining its format: " + e.errno().text(), e);
    }
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
    String driver = ImageName.options(name, this).needed("driver");
    return driver(driver)
        .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Unknown driver '" + driver + "'"));
  }

  /**
   * Opens the node that a name's protocol asks for, without a format on top: what an image that
   * names another file for its data means.
   */
  public BlockNode openProtocol(String name, OpenMode mode) throws BlockFault {
    return open(ImageName.options(name, this), mode);
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
