package hawser.tools;

import hawser.base.UsageFault;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks a command line as the C library's {@code getopt_long} does: options and operands in any
 * order, clustered letters, attached and separate arguments, long names cut short while they stay
 * unambiguous, {@code --} as the end of options. Its complaints are the C library's, word for word.
 *
 * <pre>{@code
 * while (line.next()) {
 *   switch (line.key()) {
 *     case "f" -> format = line.value();
 *     default -> throw line.unhandled();
 *   }
 * }
 * }</pre>
 */
public final class Getopt {
  private final String prefix;
  private final String hint;
  private final List<Option> options;
  private final String[] args;
  private final Terminal io;
  private final boolean permute;
  private final List<String> operands = new ArrayList<>();
  private int at;
  private String cluster = "";
  private @Nullable Option found;
  private @Nullable String value;

  /**
   * A walk over {@code args}.
   *
   * @param prefix what a complaint starts with: {@code qemu-img create}
   * @param hint the line after a complaint, or ""
   */
  public Getopt(String prefix, String hint, List<Option> options, String[] args, Terminal io) {
    this(prefix, hint, options, args, io, true);
  }

  /**
   * As above; {@code permute} false stops at the first operand, so that what follows is another
   * command's.
   */
  public Getopt(
      String prefix,
      String hint,
      List<Option> options,
      String[] args,
      Terminal io,
      boolean permute) {
    this.prefix = prefix;
    this.hint = hint;
    this.options = List.copyOf(options);
    this.args = args.clone();
    this.io = io;
    this.permute = permute;
  }

  /**
   * Moves to the next option. False: there is none, and {@link #operands} is complete.
   *
   * @throws UsageFault without a text, exit code 1, after the complaint was printed
   */
  public boolean next() {
    value = null;
    if (!cluster.isEmpty()) {
      return letter();
    }
    while (at < args.length) {
      String arg = args[at++];
      if (arg.equals("--")) {
        break;
      }
      if (arg.startsWith("--")) {
        return longOption(arg.substring(2));
      }
      if (arg.length() > 1 && arg.charAt(0) == '-') {
        cluster = arg.substring(1);
        return letter();
      }
      operands.add(arg);
      if (!permute) {
        break;
      }
    }
    while (at < args.length) {
      operands.add(args[at++]);
    }
    return false;
  }

  /** The current option's {@link Option#key}. */
  public String key() {
    return current().key();
  }

  /** The current option's argument; "" when it has none. */
  public String value() {
    return value == null ? "" : value;
  }

  /** Whether the current option came with an argument. */
  public boolean hasValue() {
    return value != null;
  }

  /** What is not an option, in order; complete when {@link #next} has said false. */
  public List<String> operands() {
    return List.copyOf(operands);
  }

  /** For the last branch of a caller's dispatch: the table has an option that the code lacks. */
  public AssertionError unhandled() {
    return new AssertionError("option " + key() + " is in the table and not in the program");
  }

  private Option current() {
    if (found == null) {
      throw new IllegalStateException("no option yet");
    }
    return found;
  }

  private boolean letter() {
    char letter = cluster.charAt(0);
    cluster = cluster.substring(1);
    Option option = byLetter(letter);
    found = option;
    switch (option.takes()) {
      case NOTHING -> {}
      case MAYBE -> {
        value = cluster.isEmpty() ? null : cluster;
        cluster = "";
      }
      case ARGUMENT -> {
        if (cluster.isEmpty() && at == args.length) {
          throw complaint("option requires an argument -- '" + letter + "'");
        }
        value = cluster.isEmpty() ? args[at++] : cluster;
        cluster = "";
      }
    }
    return true;
  }

  private Option byLetter(char letter) {
    for (Option option : options) {
      if (option.letter() == letter && letter != 0) {
        return option;
      }
    }
    throw complaint("invalid option -- '" + letter + "'");
  }

  private boolean longOption(String text) {
    int equals = text.indexOf('=');
    Option option = byName(equals < 0 ? text : text.substring(0, equals), text);
    found = option;
    if (equals >= 0) {
      if (option.takes() == Option.Takes.NOTHING) {
        throw complaint("option '--" + option.longName() + "' doesn't allow an argument");
      }
      value = text.substring(equals + 1);
    } else if (option.takes() == Option.Takes.ARGUMENT) {
      if (at == args.length) {
        throw complaint("option '--" + option.longName() + "' requires an argument");
      }
      value = args[at++];
    }
    return true;
  }

  private Option byName(String name, String text) {
    var candidates = new ArrayList<Option>();
    for (Option option : options) {
      if (option.longName().isEmpty()) {
        continue;
      }
      if (option.longName().equals(name)) {
        return option;
      }
      if (option.longName().startsWith(name)) {
        candidates.add(option);
      }
    }
    if (candidates.isEmpty()) {
      throw complaint("unrecognized option '--" + text + "'");
    }
    if (candidates.size() > 1) {
      var names = new StringBuilder();
      for (Option option : candidates) {
        names.append(" '--").append(option.longName()).append('\'');
      }
      throw complaint("option '--" + text + "' is ambiguous; possibilities:" + names);
    }
    return candidates.getFirst();
  }

  private UsageFault complaint(String text) {
    io.error(prefix + ": " + text);
    if (!hint.isEmpty()) {
      io.error(hint);
    }
    return new UsageFault("");
  }
}
