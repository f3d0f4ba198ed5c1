package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.ImageName;
import hawser.block.Limits;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.filter.AlignedNode;
import hawser.sys.Linux;
import java.util.List;
import java.util.Set;

/**
 * Opens {@code file}, a regular file, or {@code host_device}, a block device. Uses system calls
 * where they can be made, and Java's own file channels elsewhere and for short commands.
 */
public final class FileDriver implements Driver {
  private final String name;
  private final boolean device;

  private FileDriver(String name, boolean device) {
    this.name = name;
    this.device = device;
  }

  /** {@code file}. */
  public static FileDriver regular() {
    return new FileDriver("file", false);
  }

  /** {@code host_device}. */
  public static FileDriver hostDevice() {
    return new FileDriver("host_device", true);
  }

  /** {@code host_cdrom}: as a device; its tray is not looked after. */
  public static FileDriver hostCdrom() {
    return new FileDriver("host_cdrom", true);
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
  public Options fromName(String given) {
    return new Options().put("filename", Json.of(ImageName.path(given)));
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    String file =
        options
            .text("filename")
            .orElseThrow(
                () ->
                    new BlockFault(
                        Errno.EINVAL, "The '" + name + "' block driver requires a file name"));
    boolean locking = locking(options);
    takeIgnored(options);
    if (!Linux.available() || mode.quick()) {
      return ChannelNode.open(name, file, locking, mode);
    }
    BlockNode node = FileNode.open(name, device, file, locking, mode);
    Limits limits = node.limits();
    boolean anyByte = limits.alignment() == 1 && limits.memoryAlignment() == 1;
    return anyByte ? node : new AlignedNode(node);
  }

  private static boolean locking(Options options) throws BlockFault {
    String locking = options.text("locking").orElse("auto");
    return switch (locking) {
      case "on", "auto" -> true;
      case "off" -> false;
      default -> throw new BlockFault(Errno.EINVAL, "invalid parameter value: " + locking);
    };
  }

  /** Options that choose between engines which differ in speed only; checked and set aside. */
  private static void takeIgnored(Options options) throws BlockFault {
    String aio = options.text("aio").orElse("threads");
    if (!Set.of("threads", "native", "io_uring").contains(aio)) {
      throw new BlockFault(Errno.EINVAL, "invalid parameter value: " + aio);
    }
    options.number("aio-max-batch");
    options.truth("drop-cache");
    options.truth("x-check-cache-dropped");
  }

  @Override
  public List<CreateOption> createOptions() {
    if (device) {
      return List.of();
    }
    return List.of(
        CreateOption.size(),
        CreateOption.of(
            "preallocation",
            CreateOption.Kind.TEXT,
            "Preallocation mode (allowed values: off, falloc, full)"),
        CreateOption.of(
            "nocow", CreateOption.Kind.SWITCH, "Turn off copy-on-write (valid only on btrfs)"),
        CreateOption.of(
            "extent_size_hint",
            CreateOption.Kind.SIZE,
            "Extent size hint for the image file, 0 to disable"));
  }

  @Override
  public void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    FileCreation.create(name, options, opener);
  }
}
