package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.tools.Terminal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** All commands, and how a line of text becomes a call of one. */
final class IoCommands {
  private static final Pattern SPACE = Pattern.compile(" +");

  private final List<IoCommand> commands = new ArrayList<>();

  IoCommands() {
    commands.addAll(ReadCommands.all());
    commands.addAll(WriteCommands.all());
    commands.addAll(AsyncCommands.all());
    commands.addAll(DiskCommands.all());
    commands.addAll(FileCommands.all());
    commands.addAll(DebugCommands.all());
    commands.addAll(ProcessCommands.all());
    commands.add(
        IoCommand.of("help", "[command]", "help for one or all commands", 0, 1, this::help)
            .called("?")
            .withoutFile());
    commands.add(
        IoCommand.of(
                "quit",
                null,
                "exit the program",
                0,
                -1,
                (session, words) -> {
                  session.quit();
                  return true;
                })
            .called("q")
            .withoutFile());
    commands.sort(Comparator.comparing(IoCommand::name));
  }

  private Optional<IoCommand> named(String name) {
    return commands.stream()
        .filter(one -> one.name().equals(name) || (!name.isEmpty() && one.alias().equals(name)))
        .findFirst();
  }

  /** Runs one line; whether it worked. Complaints have been printed. */
  boolean run(IoSession session, String text) {
    String[] words =
        SPACE.splitAsStream(text).filter(word -> !word.isEmpty()).toArray(String[]::new);
    if (words.length == 0) {
      return true;
    }
    Optional<IoCommand> command = named(words[0]);
    if (command.isEmpty()) {
      session.io().error("command \"" + words[0] + "\" not found");
      return false;
    }
    if (command.get().needsFile() && !session.isOpen()) {
      session.io().error("no file open, try 'help open'");
      return false;
    }
    String[] arguments = Arrays.copyOfRange(words, 1, words.length);
    if (!countFits(command.get(), words[0], arguments.length, session.io())) {
      return false;
    }
    var rest = new Words(command.get(), arguments, session.io());
    try {
      return command.get().action().run(session, rest);
    } catch (BlockFault e) {
      session.error(e.getMessage());
      return false;
    } catch (IllegalArgumentException e) {
      session.error(String.valueOf(e.getMessage()));
      return false;
    } catch (UsageFault e) {
      // Getopt has complained; the command's own line follows.
      return rest.usage();
    }
  }

  private static boolean countFits(IoCommand command, String called, int count, Terminal io) {
    boolean open = command.most() == -1;
    if (count >= command.fewest() && (open || count <= command.most())) {
      return true;
    }
    String expected =
        open
            ? "at least " + command.fewest()
            : command.fewest() == command.most()
                ? "" + command.fewest()
                : "between " + command.fewest() + " and " + command.most();
    io.error(
        "bad argument count %d to %s, expected %s arguments".formatted(count, called, expected));
    return false;
  }

  private boolean help(IoSession session, Words words) {
    if (words.count() == 0) {
      commands.forEach(command -> session.io().line(command.line()));
      session.io().line("\nUse 'help commandname' for extended help.");
      return true;
    }
    Optional<IoCommand> command = named(words.get(0));
    if (command.isEmpty()) {
      session.io().line("command " + words.get(0) + " not found");
      return false;
    }
    session.io().line(command.get().line());
    session.io().print(command.get().help());
    return true;
  }
}
