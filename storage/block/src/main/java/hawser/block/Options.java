package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Size;
import hawser.base.json.Json;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The options of one node, still to be taken. A tree: the value of a child's key is its own options
 * or the name of another node. Values keep the type they were given in; text from a command line is
 * converted when it is taken. Used by one thread.
 */
public final class Options {
  private static final String NOT_A_SIZE =
      """
      a non-negative number below 2^64
      Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
      and exabytes, respectively.""";

  private final Map<String, Json> members;
  private final Map<String, BlockNode> opened = new HashMap<>();
  private boolean probed;

  /** What stands in front of the names in messages. */
  private String group = "";

  /** Options of a {@code json:} name or a QMP command. */
  public Options(Json.Obj tree) {
    this.members = new LinkedHashMap<>(tree.members());
  }

  /** No options yet. */
  public Options() {
    this.members = new LinkedHashMap<>();
  }

  /**
   * Options from a command line's dotted form, {@code driver=qcow2,file.filename=a.img}: dots nest,
   * a doubled comma is a comma.
   *
   * @throws IllegalArgumentException with QEMU's words when a key lacks its value or clashes
   */
  public static Options parse(String text) {
    var options = new Options();
    for (var pair : KeyValues.parse(text).entrySet()) {
      options.putDotted(pair.getKey(), Json.of(pair.getValue()));
    }
    return options;
  }

  /** Adds or replaces one option of this node. */
  public Options put(String key, Json value) {
    members.put(key, value);
    return this;
  }

  /** Adds an option whose key may lead into a child: {@code file.filename}. */
  public Options putDotted(String key, Json value) {
    int dot = key.indexOf('.');
    if (dot < 0) {
      members.put(key, value);
      return this;
    }
    String head = key.substring(0, dot);
    Json old = members.get(head);
    if (old != null && !(old instanceof Json.Obj)) {
      throw new IllegalArgumentException(
          "Parameter '" + head + "' is used both as a value and as a tree");
    }
    var child = old instanceof Json.Obj tree ? new Options(tree) : new Options();
    child.putDotted(key.substring(dot + 1), value);
    members.put(head, child.tree());
    return this;
  }

  /** Whether the option is there, untaken. */
  public boolean has(String key) {
    return members.containsKey(key);
  }

  /** Puts a child that is open already in the place of its options; taken like them. */
  Options putOpened(String key, BlockNode node) {
    members.put(key, Json.of(node.name()));
    opened.put(key, node);
    return this;
  }

  /** The open node that these options stand for. */
  @Nullable BlockNode takeOpened() {
    members.remove("");
    return opened.remove("");
  }

  /** An open child that no driver has taken. */
  @Nullable BlockNode takeOpened(String key) {
    return opened.remove(key);
  }

  /** Notes that nobody named the format. */
  Options markProbed() {
    probed = true;
    return this;
  }

  /** Whether nobody named the format, and it was guessed from the first bytes. */
  public boolean probed() {
    return probed;
  }

  /** The value of an option, left where it is. */
  public Optional<Json> peek(String key) {
    return Optional.ofNullable(members.get(key));
  }

  /** Takes a text. */
  public Optional<String> text(String key) throws BlockFault {
    Json value = members.remove(key);
    // Not a switch over the types: making one at run time costs a short command 15 ms.
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof Json.Str(String text)) {
      return Optional.of(text);
    }
    if (value instanceof Json.Num(var number)) {
      return Optional.of(number.toPlainString());
    }
    if (value instanceof Json.Bool(boolean truth)) {
      return Optional.of(truth ? "on" : "off");
    }
    throw wrong(key, "string");
  }

  /** Takes a text that must be there. */
  public String needed(String key) throws BlockFault {
    return text(key)
        .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Parameter '" + key + "' is missing"));
  }

  /** Takes a size in bytes, suffixes allowed. */
  public OptionalLong size(String key) throws BlockFault {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    OptionalLong size = Size.parse(text.get());
    if (size.isEmpty()) {
      throw wrong(key, NOT_A_SIZE);
    }
    return size;
  }

  /** Takes a whole number without a suffix. */
  public OptionalLong number(String key) throws BlockFault {
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.decode(text.get()));
    } catch (NumberFormatException e) {
      throw wrong(key, "a number");
    }
  }

  /** Takes a switch: on, off, yes, no, true, false. */
  public Optional<Boolean> truth(String key) throws BlockFault {
    if (members.get(key) instanceof Json.Bool(boolean value)) {
      members.remove(key);
      return Optional.of(value);
    }
    Optional<String> text = text(key);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        switch (text.get()) {
          case "on", "yes", "true", "y" -> true;
          case "off", "no", "false", "n" -> false;
          default -> throw wrong(key, "'on' or 'off'");
        });
  }

  /** Takes any value. */
  public Optional<Json> any(String key) {
    return Optional.ofNullable(members.remove(key));
  }

  /** Takes the options of a child. Empty when it is absent or is the name of a node. */
  public Optional<Options> child(String key) {
    BlockNode node = opened.remove(key);
    if (node != null) {
      members.remove(key);
      return Optional.of(new Options().putOpened("", node));
    }
    if (members.get(key) instanceof Json.Obj tree) {
      members.remove(key);
      return Optional.of(new Options(tree));
    }
    return Optional.empty();
  }

  /** Takes options of this node that share a name in front, {@code cache.direct}. */
  public Options group(String key) {
    Options found = child(key).orElseGet(Options::new);
    found.group = key + ".";
    return found;
  }

  /** The names of what nobody has taken yet. */
  public Set<String> left() {
    return Set.copyOf(members.keySet());
  }

  /** What nobody has taken yet. */
  public Json.Obj tree() {
    return new Json.Obj(new LinkedHashMap<>(members));
  }

  private BlockFault wrong(String key, String expected) {
    return new BlockFault(Errno.EINVAL, "Parameter '" + group + key + "' expects " + expected);
  }
}
