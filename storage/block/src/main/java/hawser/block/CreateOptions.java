package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Size;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The options of an image that is to be made: those that its format and its protocol know, and the
 * values given for some of them. Values are checked when they are set. Used by one thread.
 */
public final class CreateOptions {
  private final List<CreateOption> known = new ArrayList<>();
  private final Map<String, String> given = new LinkedHashMap<>();

  /** Options that a format knows, and those its protocol adds; the format's win by name. */
  public CreateOptions(List<CreateOption> format, List<CreateOption> protocol) {
    known.addAll(format);
    for (CreateOption option : protocol) {
      if (!knows(option.name())) {
        known.add(option);
      }
    }
  }

  /** What may be set, in the order in which the drivers declare it. */
  public List<CreateOption> known() {
    return List.copyOf(known);
  }

  /** Whether the drivers know that option. */
  public boolean knows(String name) {
    return option(name) != null;
  }

  /**
   * Sets all of {@code a=1,b=2}; the last of equal names counts.
   *
   * @throws BlockFault EINVAL with QEMU's words for an unknown name or a value out of kind
   */
  public void parse(String list) throws BlockFault {
    for (var pair : KeyValues.parse(list).entrySet()) {
      set(pair.getKey(), pair.getValue());
    }
  }

  /** Sets one; see {@link #parse}. */
  public CreateOptions set(String name, String value) throws BlockFault {
    CreateOption option = option(name);
    if (option == null) {
      throw new BlockFault(Errno.EINVAL, "Invalid parameter '" + name + "'");
    }
    check(option, value);
    given.put(name, value);
    return this;
  }

  private static void check(CreateOption option, String value) throws BlockFault {
    switch (option.kind()) {
      case TEXT -> {}
      case SWITCH -> {
        if (toSwitch(value) == null) {
          throw expects(option, "'on' or 'off'");
        }
      }
      case NUMBER -> {
        if (toNumber(value).isEmpty()) {
          throw expects(option, "a number");
        }
      }
      case SIZE -> {
        if (Size.parse(value).isEmpty()) {
          throw expects(
              option,
              """
              a non-negative number below 2^64
              Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
              and exabytes, respectively.""");
        }
      }
    }
  }

  private static BlockFault expects(CreateOption option, String what) {
    return new BlockFault(Errno.EINVAL, "Parameter '" + option.name() + "' expects " + what);
  }

  /** Whether a value was given. */
  public boolean has(String name) {
    return given.containsKey(name);
  }

  /** Forgets the value given. */
  public void remove(String name) {
    given.remove(name);
  }

  /** The value given, or the standard one. */
  public Optional<String> text(String name) {
    String value = given.get(name);
    if (value == null) {
      CreateOption option = option(name);
      value = option == null ? null : option.standard();
    }
    return Optional.ofNullable(value);
  }

  /** As a size in bytes. */
  public OptionalLong size(String name) {
    Optional<String> text = text(name);
    return text.isEmpty() ? OptionalLong.empty() : Size.parse(text.get());
  }

  /** As a whole number. */
  public OptionalLong number(String name) {
    Optional<String> text = text(name);
    return text.isEmpty() ? OptionalLong.empty() : toNumber(text.get());
  }

  /** As a switch; false when there is neither a value nor a standard. */
  public boolean truth(String name) {
    Optional<String> text = text(name);
    return text.isPresent() && Boolean.TRUE.equals(toSwitch(text.get()));
  }

  /**
   * The value of {@code preallocation}; off when not given.
   *
   * @throws BlockFault EINVAL with QEMU's words when it is none of the four
   */
  public Preallocation preallocation() throws BlockFault {
    String value = text("preallocation").orElse("off");
    Optional<Preallocation> named = Preallocation.named(value);
    if (named.isEmpty()) {
      throw new BlockFault(
          Errno.EINVAL, "Parameter 'preallocation' does not accept value '" + value + "'");
    }
    return named.get();
  }

  /** All values, given or standard, as {@code create} reports them: {@code a=1 b=2}. */
  public String printed() {
    var out = new StringBuilder();
    for (CreateOption option : known) {
      String value = printed(option);
      if (value != null) {
        out.append(out.isEmpty() ? "" : " ").append(option.name()).append('=').append(value);
      }
    }
    return out.toString();
  }

  private @Nullable String printed(CreateOption option) {
    String value = given.get(option.name());
    if (value == null) {
      return option.standard();
    }
    return switch (option.kind()) {
      case TEXT -> value.replace(",", ",,");
      case SWITCH -> value;
      case NUMBER -> Long.toString(toNumber(value).orElseThrow());
      case SIZE -> Long.toString(Size.parse(value).orElseThrow());
    };
  }

  private @Nullable CreateOption option(String name) {
    for (CreateOption option : known) {
      if (option.name().equals(name)) {
        return option;
      }
    }
    return null;
  }

  private static @Nullable Boolean toSwitch(String value) {
    return switch (value) {
      case "on", "yes", "true", "y" -> true;
      case "off", "no", "false", "n" -> false;
      default -> null;
    };
  }

  private static OptionalLong toNumber(String value) {
    try {
      return OptionalLong.of(Long.decode(value));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
