package hawser.block.filter.blkdebug;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlkdebugEvent;
import hawser.block.Options;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads rules from a node's options ({@code inject-error.0.event=...}) and from a configuration
 * file: sections {@code [inject-error]} and {@code [set-state]} of lines {@code key = "value"}.
 */
final class RuleReader {
  private static final String INJECT = "inject-error";
  private static final String SET_STATE = "set-state";
  private static final int SECTOR_BYTES = 512;

  private RuleReader() {}

  /** All rules of a node: the file's first, and errors before changes of state. */
  static List<Rule> read(Optional<String> file, Options options) throws BlockFault {
    List<Options> errors = new ArrayList<>();
    List<Options> states = new ArrayList<>();
    if (file.isPresent()) {
      sections(file.get(), errors, states);
    }
    errors.addAll(list(options.any(INJECT)));
    states.addAll(list(options.any(SET_STATE)));
    List<Rule> rules = new ArrayList<>();
    for (Options one : errors) {
      rules.add(injectError(one));
    }
    for (Options one : states) {
      rules.add(
          new Rule.SetState(
              event(one), one.number("state").orElse(0), one.number("new_state").orElse(0)));
    }
    return rules;
  }

  /** A list, as JSON has it or as dotted keys with numbers have made it. */
  private static List<Options> list(Optional<Json> value) throws BlockFault {
    List<Options> found = new ArrayList<>();
    switch (value.orElse(null)) {
      case null -> {}
      case Json.Arr(List<Json> items) -> {
        for (Json item : items) {
          found.add(options(item));
        }
      }
      case Json.Obj(Map<String, Json> members) -> {
        for (Json item : new TreeMap<>(members).values()) {
          found.add(options(item));
        }
      }
      case Json.Null _, Json.Bool _, Json.Num _, Json.Str _ ->
          throw new BlockFault(Errno.EINVAL, "blkdebug rules must be a list");
    }
    return found;
  }

  private static Options options(Json item) throws BlockFault {
    if (item instanceof Json.Obj tree) {
      return new Options(tree);
    }
    throw new BlockFault(Errno.EINVAL, "a blkdebug rule must be an object");
  }

  private static BlkdebugEvent event(Options options) throws BlockFault {
    String name =
        options
            .text("event")
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Missing event name for rule"));
    return BlkdebugEvent.named(name).orElseThrow(() -> invalid(name));
  }

  private static BlockFault invalid(String value) {
    return new BlockFault(Errno.EINVAL, "invalid parameter value: " + value);
  }

  private static Rule injectError(Options options) throws BlockFault {
    long sector = options.number("sector").orElse(-1);
    Optional<String> kind = options.text("iotype");
    Set<Rule.Kind> kinds = Rule.Kind.USUAL;
    if (kind.isPresent()) {
      kinds = Set.of(Rule.Kind.named(kind.get()).orElseThrow(() -> invalid(kind.get())));
    }
    // Whether the answer comes at once or a little later makes no difference to blocking calls.
    options.truth("immediately");
    var rule =
        new Rule.InjectError(
            event(options),
            options.number("state").orElse(Rule.ANY_STATE),
            kinds,
            (int) options.number("errno").orElse(Errno.EIO.number()),
            sector == -1 ? -1 : sector * SECTOR_BYTES,
            options.truth("once").orElse(false),
            options.number("delay-ns").orElse(0));
    if (!options.left().isEmpty()) {
      throw new BlockFault(
          Errno.EINVAL, "Invalid parameter '" + options.left().iterator().next() + "'");
    }
    return rule;
  }

  private static void sections(String file, List<Options> errors, List<Options> states)
      throws BlockFault {
    List<String> lines;
    try {
      lines = Files.readAllLines(Path.of(file), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new BlockFault(
          Errno.ENOENT, "Could not read blkdebug config file: " + Errno.ENOENT.text(), e);
    } catch (IOException e) {
      throw new BlockFault(Errno.EIO, "Could not read blkdebug config file: " + e.getMessage(), e);
    }
    Options section = null;
    int number = 0;
    for (String line : lines) {
      number++;
      String text = line.strip();
      if (text.isEmpty() || text.startsWith("#")) {
        continue;
      }
      if (text.equals("[" + INJECT + "]") || text.equals("[" + SET_STATE + "]")) {
        section = new Options();
        (text.contains(INJECT) ? errors : states).add(section);
        continue;
      }
      int equals = text.indexOf('=');
      if (section == null || equals < 0) {
        throw new BlockFault(Errno.EINVAL, file + ":" + number + ": parse error");
      }
      section.put(text.substring(0, equals).strip(), Json.of(unquoted(text.substring(equals + 1))));
    }
  }

  private static String unquoted(String value) {
    String text = value.strip();
    boolean quoted = text.length() > 1 && text.startsWith("\"") && text.endsWith("\"");
    return quoted ? text.substring(1, text.length() - 1) : text;
  }
}
