package hawser.tools.io;

import hawser.base.BlockFault;
import org.jspecify.annotations.Nullable;

/**
 * One command of qemu-io.
 *
 * @param name as it is typed
 * @param alias a shorter name, or ""
 * @param arguments what help says follows the name, or null when nothing does
 * @param text what it does, in QEMU's words
 * @param help the rest of {@code help NAME}, or ""
 * @param fewest least number of arguments, options included
 * @param most largest number of them, or -1
 * @param needsFile whether a disk must be open
 * @param action what it does
 */
record IoCommand(
    String name,
    String alias,
    @Nullable String arguments,
    String text,
    String help,
    int fewest,
    int most,
    boolean needsFile,
    Action action) {

  /** Runs a command; {@code args} without its name. */
  @FunctionalInterface
  interface Action {
    /**
     * Does it and prints what there is to say.
     *
     * @return whether it worked
     * @throws BlockFault when the disk failed and nothing has been printed yet
     */
    boolean run(IoSession session, Words words) throws BlockFault;
  }

  /** A command on an open disk, without a second name. */
  static IoCommand of(
      String name, @Nullable String arguments, String text, int fewest, int most, Action a) {
    return new IoCommand(name, "", arguments, text, "", fewest, most, true, a);
  }

  IoCommand called(String other) {
    return new IoCommand(name, other, arguments, text, help, fewest, most, needsFile, action);
  }

  IoCommand helping(String more) {
    return new IoCommand(name, alias, arguments, text, more, fewest, most, needsFile, action);
  }

  IoCommand withoutFile() {
    return new IoCommand(name, alias, arguments, text, help, fewest, most, false, action);
  }

  /** The one line that {@code help} prints. */
  String line() {
    return name + (arguments == null ? " " : " " + arguments + " ") + "-- " + text;
  }
}
