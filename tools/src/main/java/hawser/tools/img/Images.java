package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.KeyValues;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.nbd.client.NbdDriver;
import hawser.nbd.tls.TlsObjects;
import org.jspecify.annotations.Nullable;

/** Opens the images that a command line names, as qemu-img does and with its words. */
final class Images {
  private Images() {}

  /** What opens them: names found in images are followed, as qemu-img follows them. */
  static Opener opener() {
    return new Opener(OpenPolicy.ANYTHING, new NbdDriver());
  }

  /** As above, knowing the line's {@code --object}s; warnings go to the error stream. */
  static Opener opener(ImgLine line) throws BlockFault {
    Opener plain =
        line.objects().isEmpty()
            ? opener()
            : new Opener(OpenPolicy.ANYTHING, new NbdDriver(tls(line)));
    return plain.warning(text -> line.io().error(text));
  }

  private static TlsObjects tls(ImgLine line) throws BlockFault {
    var objects = new TlsObjects();
    for (String definition : line.objects()) {
      if (!objects.add(definition)) {
        int comma = definition.indexOf(',');
        String type = comma < 0 ? definition : definition.substring(0, comma);
        switch (type.startsWith("qom-type=") ? type.substring("qom-type=".length()) : type) {
          // Keys of encrypted images, which are refused when they are opened.
          case "secret", "secret_keyring" -> {}
          default ->
              throw new UsageFault("Parameter 'qom-type' does not accept value '" + type + "'");
        }
      }
    }
    return objects;
  }

  /** Opens the image of a line whose format and sharing the line says. */
  static BlockNode open(ImgLine line, String name, OpenMode mode) throws BlockFault {
    return open(line, name, line.format(), mode);
  }

  /** Opens an image of that line in another format. */
  static BlockNode open(ImgLine line, String name, @Nullable String format, OpenMode mode)
      throws BlockFault {
    return open(
        opener(line), name, format, line.imageOpts(), mode.withForceShare(line.forceShare()));
  }

  /**
   * Opens an image.
   *
   * @param imageOpts whether the name is a list of options
   * @throws BlockFault with {@code Could not open 'name': } in front
   */
  static BlockNode open(
      Opener opener, String name, @Nullable String format, boolean imageOpts, OpenMode mode)
      throws BlockFault {
    return open(opener, name, format, imageOpts, new Options(), mode);
  }

  /** As above, with options that count more than those in the name. */
  static BlockNode open(
      Opener opener,
      String name,
      @Nullable String format,
      boolean imageOpts,
      Options extra,
      OpenMode mode)
      throws BlockFault {
    if (imageOpts && format != null) {
      throw new UsageFault("--image-opts and --format are mutually exclusive");
    }
    try {
      if (!imageOpts) {
        return opener.open(name, format, extra, mode);
      }
      Options options = options(name);
      for (var more : extra.tree().members().entrySet()) {
        options.put(more.getKey(), more.getValue());
      }
      return opener.open(options, mode);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(), "Could not open '" + name + "': " + fault.getMessage(), fault);
    }
  }

  /** An option list; a first part without a key is the file's name or a node's. */
  private static Options options(String list) throws BlockFault {
    int end = list.indexOf(',');
    String first = end < 0 ? list : list.substring(0, end);
    var options = new Options();
    try {
      String pairs = first.indexOf('=') < 0 ? "file=" + list : list;
      for (var pair : KeyValues.parse(pairs).entrySet()) {
        options.putDotted(pair.getKey(), Json.of(pair.getValue()));
      }
    } catch (IllegalArgumentException e) {
      throw new BlockFault(Errno.EINVAL, String.valueOf(e.getMessage()), e);
    }
    return options;
  }

  /** By name, or a refusal with qemu-img's word for what was wanted. */
  static OpenMode.Cache cache(String name, String what, int exitCode) {
    return OpenMode.Cache.named(name)
        .orElseThrow(() -> new UsageFault("Invalid " + what + " option: " + name, exitCode));
  }
}
