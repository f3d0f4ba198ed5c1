package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.Opener;
import org.jspecify.annotations.Nullable;

/** What {@code create}, {@code convert}, {@code dd} and {@code measure} share of making images. */
final class Formats {
  private Formats() {}

  /** The driver that makes images of that format under that name. */
  static Driver creatable(Opener opener, String format, String name) throws BlockFault {
    Driver driver = known(opener, format);
    Driver protocol = opener.protocol(name);
    if (driver.createOptions().isEmpty()) {
      throw new BlockFault(
          Errno.EOPNOTSUPP, "Format driver '" + format + "' does not support image creation");
    }
    if (protocol.createOptions().isEmpty()) {
      throw new BlockFault(
          Errno.EOPNOTSUPP,
          "Protocol driver '" + protocol.name() + "' does not support image creation");
    }
    return driver;
  }

  /** The driver of a format. */
  static Driver known(Opener opener, String format) throws BlockFault {
    return opener
        .driver(format)
        .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Unknown file format '" + format + "'"));
  }

  /** The options of a format on the protocol of a name. */
  static CreateOptions options(Opener opener, Driver driver, String name) throws BlockFault {
    return new CreateOptions(driver.createOptions(), opener.protocol(name).createOptions());
  }

  /** Puts {@code -b} and {@code -F} in. */
  static void setBacking(
      CreateOptions options,
      String format,
      @Nullable String backing,
      @Nullable String backingFormat)
      throws BlockFault {
    if (backing != null) {
      if (!options.knows("backing_file")) {
        throw new BlockFault(
            Errno.EOPNOTSUPP, "Backing file not supported for file format '" + format + "'");
      }
      options.set("backing_file", backing);
    }
    if (backingFormat != null) {
      if (!options.knows("backing_fmt")) {
        throw new BlockFault(
            Errno.EOPNOTSUPP, "Backing file format not supported for file format '" + format + "'");
      }
      options.set("backing_fmt", backingFormat);
    }
  }

  /** Makes the image; a size beyond the format is told in one way for all formats. */
  static void create(Opener opener, Driver driver, String name, CreateOptions options)
      throws BlockFault {
    try {
      driver.create(name, options, opener);
    } catch (BlockFault fault) {
      if (fault.errno() != Errno.EFBIG) {
        throw fault;
      }
      String hint =
          options.text("cluster_size").isPresent() ? " (try using a larger cluster size)" : "";
      throw new BlockFault(
          Errno.EFBIG,
          "The image size is too large for file format '" + driver.name() + "'" + hint,
          fault);
    }
  }

  /** Whether a format stores compressed clusters. */
  static boolean compresses(String format) {
    return format.equals("qcow2");
  }
}
