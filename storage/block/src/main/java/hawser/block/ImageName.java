package hawser.block;

import hawser.base.json.Json;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the name of a disk says of how to open it: {@code file:disk.img}, {@code nbd://host}. */
public final class ImageName {
  private ImageName() {}

  /**
   * The protocol at the front of a name, or "" when it is a path. A colon after a slash belongs to
   * the path.
   */
  public static String protocol(String name) {
    int colon = name.indexOf(':');
    int slash = name.indexOf('/');
    if (colon <= 0 || (slash >= 0 && slash < colon)) {
      return "";
    }
    return name.substring(0, colon);
  }

  /** The options of the protocol node that a name stands for. */
  static Map<String, Json> options(String name) {
    var options = new LinkedHashMap<String, Json>();
    String protocol = protocol(name);
    String driver =
        switch (protocol) {
          case "" -> "file";
          case "nbd", "nbds", "nbd+unix", "nbds+unix", "nbd+tcp", "nbd+vsock", "nbds+vsock" ->
              "nbd";
          default -> protocol;
        };
    options.put("driver", Json.of(driver));
    options.put(
        "filename", Json.of(protocol.equals("file") ? name.substring("file:".length()) : name));
    return options;
  }

  /** The path of a name that is a path, with or without {@code file:} in front. */
  public static String path(String name) {
    return name.startsWith("file:") ? name.substring("file:".length()) : name;
  }

  /**
   * What a name found inside an image means: relative paths start at the image's folder; absolute
   * ones and those with a protocol stay as they are.
   *
   * @param image the image's own name
   */
  public static String resolve(String image, String found) {
    if (found.startsWith("/") || found.startsWith("json:") || !protocol(found).isEmpty()) {
      return found;
    }
    int slash = image.lastIndexOf('/');
    return slash < 0 ? found : image.substring(0, slash + 1) + found;
  }
}
