package hawser.tools;

import java.util.List;

/**
 * One command line as data: what the parser accepts and what help, manual pages and completion say.
 *
 * @param name the words in front of the options, without the program's: {@code create}, or ""
 * @param text what it does, in one sentence without a full stop
 * @param operands what follows the options: {@code FILENAME [SIZE]}
 * @param options in the order in which help lists them
 */
public record Command(String name, String text, String operands, List<Option> options) {
  /** Copies the list. */
  public Command {
    options = List.copyOf(options);
  }

  /** The widest option column of help before its text moves to the next line, in characters. */
  private static final int COLUMN = 30;

  /** What {@code --help} prints for it; {@code program} is the name that people type. */
  public String help(String program) {
    var out = new StringBuilder();
    out.append("Usage: ").append(program);
    if (!name.isEmpty()) {
      out.append(' ').append(name);
    }
    out.append(" [OPTION]...");
    if (!operands.isEmpty()) {
      out.append(' ').append(operands);
    }
    out.append('\n').append(text).append(".\n\n");
    for (Option option : options) {
      describe(option, out);
    }
    return out.toString();
  }

  private static void describe(Option option, StringBuilder out) {
    int start = out.length();
    out.append("  ");
    if (option.letter() != 0) {
      out.append('-').append(option.letter());
      out.append(option.longName().isEmpty() ? "" : ", ");
    } else {
      out.append("    ");
    }
    if (!option.longName().isEmpty()) {
      out.append("--").append(option.longName());
    }
    switch (option.takes()) {
      case NOTHING -> {}
      case ARGUMENT -> out.append(' ').append(option.argument());
      case MAYBE -> out.append("[=").append(option.argument()).append(']');
    }
    int used = out.length() - start;
    if (used > COLUMN - 2) {
      out.append('\n');
      used = 0;
    }
    out.repeat(' ', COLUMN - used).append(option.text()).append('\n');
  }
}
