package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.base.json.QemuJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the name of a disk says of how to open it: {@code file:disk.img}, {@code nbd://host}. */
public final class ImageName {
  private static final String JSON = "json:";

  private ImageName() {}

  /**
   * The protocol at the front of a name, or "" when it is a path. A colon after a slash belongs to
   * the path.
   */
  public static String protocol(String name) {
    int colon = name.indexOf(':');
    int slash = name.indexOf('/');
    if (colon < 0 || (slash >= 0 && slash < colon)) {
      return "";
    }
    return name.substring(0, colon);
  }

  /**
   * The options of the protocol node that a name stands for. A path to a device is a {@code
   * host_device}.
   *
   * @throws BlockFault when no driver has the protocol
   */
  static Options options(String name, Opener opener) throws BlockFault {
    String protocol = protocol(name);
    if (isDevice(name) || protocol.equals("host_device")) {
      return named("host_device", strip(name, "host_device:"));
    }
    if (!hasProtocol(name)) {
      return named("file", name);
    }
    if (protocol.equals("file")) {
      return named("file", strip(name, "file:"));
    }
    for (Driver driver : opener.drivers()) {
      if (driver.protocols().contains(protocol)) {
        Options options = driver.fromName(name);
        return options.has("driver") ? options : options.put("driver", Json.of(driver.name()));
      }
    }
    throw new BlockFault(Errno.ENOENT, "Unknown protocol '" + protocol + "'");
  }

  /** Also when what is in front of the colon is empty. */
  private static boolean hasProtocol(String name) {
    int colon = name.indexOf(':');
    int slash = name.indexOf('/');
    return colon >= 0 && (slash < 0 || colon < slash);
  }

  private static Options named(String driver, String name) {
    return new Options().put("driver", Json.of(driver)).put("filename", Json.of(name));
  }

  private static String strip(String name, String prefix) {
    if (!name.startsWith(prefix)) {
      return name;
    }
    String rest = name.substring(prefix.length());
    // What is left is a path even if it has a colon of its own.
    return protocol(rest).isEmpty() ? rest : "./" + rest;
  }

  private static boolean isDevice(String name) {
    if (!name.startsWith("/")) {
      return false;
    }
    try {
      return Files.getAttribute(Path.of(name), "unix:mode") instanceof Integer mode
          && ((mode & 0xf000) == 0x6000 || (mode & 0xf000) == 0x2000);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      // Whatever it is, it is no device; opening it will say what is wrong.
      return false;
    }
  }

  /**
   * Reads a {@code json:} name. Its keys may be dotted.
   *
   * @throws BlockFault with QEMU's words when it is not a JSON object
   */
  static Options fromJson(String name) throws BlockFault {
    Json tree;
    try {
      tree = JsonReader.read(name.substring(JSON.length()));
    } catch (IllegalArgumentException e) {
      throw new BlockFault(Errno.EINVAL, "Could not parse the JSON options: " + e.getMessage(), e);
    }
    if (!(tree instanceof Json.Obj object)) {
      throw new BlockFault(Errno.EINVAL, "Invalid JSON object given");
    }
    var options = new Options();
    try {
      object.members().forEach(options::putDotted);
    } catch (IllegalArgumentException e) {
      throw new BlockFault(Errno.EINVAL, e.getMessage() + "", e);
    }
    return options;
  }

  /** Whether it is a {@code json:} name. */
  public static boolean isJson(String name) {
    return name.startsWith(JSON);
  }

  /**
   * The name of a node that has no plain one: its driver, the options that decide what it reads,
   * and its child's own name or tree.
   */
  public static String json(
      String driver,
      Map<String, Json> options,
      @Nullable String childKey,
      @Nullable BlockNode child) {
    var tree = new LinkedHashMap<String, Json>();
    tree.put("driver", Json.of(driver));
    tree.putAll(options);
    if (childKey != null && child != null) {
      tree.put(childKey, tree(child));
    }
    return JSON + QemuJson.compact(new Json.Obj(tree));
  }

  /** The options that would open a node again. */
  static Json tree(BlockNode node) {
    String name = node.name();
    if (isJson(name)) {
      return JsonReader.read(name.substring(JSON.length()));
    }
    var tree = new LinkedHashMap<String, Json>();
    tree.put("driver", Json.of(node.driver()));
    List<BlockNode> children = node.children();
    if (children.isEmpty()) {
      tree.put("filename", Json.of(name));
    } else {
      tree.put("file", tree(children.getFirst()));
    }
    return new Json.Obj(tree);
  }

  /** The path of a name that is a path, with or without {@code file:} in front. */
  public static String path(String name) {
    return strip(name, "file:");
  }

  /**
   * What a name found inside an image means: a path is relative to the folder of the image's own
   * file, which is looked for beneath filters and {@code json:} names.
   *
   * @param image the node that holds the image, or the file beneath it
   * @throws BlockFault when the image lies in no folder
   */
  public static String resolve(BlockNode image, String found) throws BlockFault {
    BlockNode file = image;
    while (!file.children().isEmpty()) {
      file = file.children().getFirst();
    }
    if (!absolute(found) && isJson(file.name())) {
      throw new BlockFault(
          Errno.EINVAL, "Cannot use relative backing file names for '" + image.name() + "'");
    }
    return resolve(file.name(), found);
  }

  /**
   * As above, for an image that is known by its name only; absolute paths and names with a protocol
   * stay as they are.
   */
  public static String resolve(String image, String found) {
    if (absolute(found)) {
      return found;
    }
    // A protocol without a folder is a folder of its own: nbd:host:port.
    int end = Math.max(image.lastIndexOf('/'), protocol(image).isEmpty() ? -1 : image.indexOf(':'));
    return image.substring(0, end + 1) + found;
  }

  private static boolean absolute(String name) {
    return name.startsWith("/") || isJson(name) || !protocol(name).isEmpty();
  }
}
