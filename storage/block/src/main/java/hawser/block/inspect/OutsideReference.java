package hawser.block.inspect;

import hawser.block.ImageName;

/**
 * A name in an image that opens something else on the host.
 *
 * @param role what for: {@code backing-file} or {@code data-file}
 * @param name as it stands in the image
 * @param form how it reaches out
 * @param format the format it is to be opened in, or "" when the image leaves it to probing
 */
public record OutsideReference(String role, String name, Form form, String format) {
  /** How a name reaches out. */
  public enum Form {
    /** A path below the image's own folder. */
    BELOW("below the image's folder"),
    /** A path that leaves the image's folder. */
    ELSEWHERE("outside the image's folder"),
    /** A {@code json:} pseudo-name, which may name any driver with any options. */
    JSON("a json: name"),
    /** A protocol in front of a colon: a network or another driver. */
    PROTOCOL("a protocol");

    private final String words;

    Form(String words) {
      this.words = words;
    }

    /** For people. */
    public String words() {
      return words;
    }
  }

  static OutsideReference of(String role, String name, String format) {
    return new OutsideReference(role, name, form(name), format);
  }

  private static Form form(String name) {
    if (ImageName.isJson(name)) {
      return Form.JSON;
    }
    if (!ImageName.protocol(name).isEmpty()) {
      return Form.PROTOCOL;
    }
    boolean leaves = name.startsWith("/") || ("/" + name + "/").contains("/../");
    return leaves ? Form.ELSEWHERE : Form.BELOW;
  }
}
