package hawser.tools.io;

import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Terminal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The words behind a command's name, and how qemu-io reads numbers out of them. */
final class Words {
  /** The longest request of QEMU's block layer in bytes: whole sectors below 2 GiB. */
  static final long REQUEST_BYTES_MAX = (Integer.MAX_VALUE >> 9) << 9;

  private final IoCommand command;
  private final String[] words;
  private final Terminal io;

  Words(IoCommand command, String[] words, Terminal io) {
    this.command = command;
    this.words = words;
    this.io = io;
  }

  /** How many there are, options included. */
  int count() {
    return words.length;
  }

  String get(int index) {
    return words[index];
  }

  /**
   * Walks the options.
   *
   * @param letters as getopt(3) takes them: a colon follows a letter with an argument
   */
  Getopt options(String letters) {
    List<Option> options = new ArrayList<>();
    for (int i = 0; i < letters.length(); i++) {
      boolean argument = i + 1 < letters.length() && letters.charAt(i + 1) == ':';
      options.add(
          argument
              ? Option.value(letters.charAt(i), "", "", "")
              : Option.flag(letters.charAt(i), "", ""));
      i += argument ? 1 : 0;
    }
    return new Getopt(command.name(), "", options, words, io);
  }

  /** Says how the command is used; false, for the caller to return. */
  boolean usage() {
    io.line(command.name() + " " + command.arguments() + " -- " + command.text());
    return false;
  }

  /** Says what is wrong with the operands. */
  void complain(String text) {
    io.line(text);
  }

  /** A size; empty after its complaint. */
  OptionalLong number(String word) {
    SizeWord.Read read = SizeWord.read(word);
    return switch (read) {
      case SizeWord.Bytes(long value) -> OptionalLong.of(value);
      case SizeWord.NotANumber() -> {
        io.line(
            "Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- " + word);
        yield OptionalLong.empty();
      }
      case SizeWord.TooLarge() -> {
        io.line("Parsing error: argument too large -- " + word);
        yield OptionalLong.empty();
      }
    };
  }

  /** A pattern byte; empty after its complaint. */
  Optional<Byte> pattern(String word) {
    try {
      int value = Integer.decode(word);
      if (value >= 0 && value <= 0xff) {
        return Optional.of((byte) value);
      }
    } catch (NumberFormatException e) {
      // Complained about below, together with what does not fit into a byte.
    }
    io.line(word + " is not a valid pattern byte");
    return Optional.empty();
  }

  /** The lengths of a vectored request; empty after its complaint. */
  Optional<long[]> lengths(List<String> given) {
    long[] lengths = new long[given.size()];
    long total = 0;
    for (int i = 0; i < lengths.length; i++) {
      OptionalLong length = number(given.get(i));
      if (length.isEmpty()) {
        return Optional.empty();
      }
      lengths[i] = length.getAsLong();
      if (lengths[i] > REQUEST_BYTES_MAX) {
        io.line("Argument '%s' exceeds maximum size %d".formatted(given.get(i), REQUEST_BYTES_MAX));
        return Optional.empty();
      }
      if (total > REQUEST_BYTES_MAX - lengths[i]) {
        io.line("The total number of bytes exceed the maximum size " + REQUEST_BYTES_MAX);
        return Optional.empty();
      }
      total += lengths[i];
    }
    return Optional.of(lengths);
  }
}
