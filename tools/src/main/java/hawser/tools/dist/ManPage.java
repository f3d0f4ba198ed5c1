package hawser.tools.dist;

import hawser.tools.Command;
import hawser.tools.Option;
import hawser.tools.Program;
import java.util.Locale;

/** A program's manual page in the man macros, from its table of options. */
final class ManPage {
  private final String program;
  private final StringBuilder out = new StringBuilder();

  private ManPage(String program) {
    this.program = program;
  }

  /** The page's file name: {@code hawser-img.1}. */
  static String fileName(Program program) {
    return "hawser-" + program.name() + ".1";
  }

  /** The page's text. */
  static String of(Program program) {
    var page = new ManPage("hawser " + program.name());
    page.head(program);
    program.commands().forEach(page::synopsis);
    program.commands().forEach(page::options);
    page.foot(program);
    return page.out.toString();
  }

  private void head(Program program) {
    String name = "hawser-" + program.name();
    out.append(".TH ").append(name.toUpperCase(Locale.ROOT)).append(" 1 \"\" Hawser\n");
    out.append(".SH NAME\n").append(text(name)).append(" \\- ").append(text(purpose(program)));
    out.append("\n.SH SYNOPSIS\n");
  }

  private static String purpose(Program program) {
    var commands = program.commands();
    if (commands.size() == 1) {
      return commands.getFirst().text();
    }
    return "the commands of " + program.messageName();
  }

  private void synopsis(Command command) {
    out.append(".B ").append(text(line(command))).append('\n');
    out.append("[\\fIOPTION\\fR]...");
    if (!command.operands().isEmpty()) {
      out.append(" \\fI").append(text(command.operands())).append("\\fR");
    }
    out.append("\n.br\n");
  }

  private String line(Command command) {
    return command.name().isEmpty() ? program : program + " " + command.name();
  }

  private void options(Command command) {
    out.append(".SH ").append(text(line(command).toUpperCase(Locale.ROOT))).append('\n');
    out.append(text(command.text())).append(".\n");
    for (Option option : command.options()) {
      out.append(".TP\n").append(spelling(option)).append('\n');
      out.append(text(option.text())).append('\n');
    }
  }

  private static String spelling(Option option) {
    var spelling = new StringBuilder();
    if (option.letter() != 0) {
      spelling.append("\\fB\\-").append(option.letter()).append("\\fR");
      spelling.append(option.longName().isEmpty() ? "" : ", ");
    }
    if (!option.longName().isEmpty()) {
      spelling.append("\\fB").append(text("--" + option.longName())).append("\\fR");
    }
    String argument = "\\fI" + text(option.argument()) + "\\fR";
    return switch (option.takes()) {
      case NOTHING -> spelling.toString();
      case ARGUMENT -> spelling + " " + argument;
      case MAYBE -> spelling + "[=" + argument + "]";
    };
  }

  private void foot(Program program) {
    if (program.messageName().startsWith("qemu-")) {
      out.append(".SH COMPATIBILITY\nStands in for ").append(text(program.messageName()));
      out.append(": the same options, output and exit codes.\n");
    }
  }

  /** A hyphen in a manual page is a dash unless it is escaped, and a leading dot is a macro. */
  private static String text(String plain) {
    String escaped = plain.replace("\\", "\\e").replace("-", "\\-").replace("\n", " ");
    return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
  }
}
