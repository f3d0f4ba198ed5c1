package hawser.tools;

import hawser.base.UsageFault;
import java.util.List;

/** One program of Hawser. A fresh object serves one call of the command line. */
public interface Program {
  /** The sub-command of {@code hawser} that runs it: {@code img}. */
  String name();

  /**
   * The name in front of its messages. A drop-in says the original's, {@code qemu-img}, however it
   * was called, for scripts look for those words.
   */
  default String messageName() {
    return name();
  }

  /** Every command line it understands, as data for help, manual pages and completion. */
  List<Command> commands();

  /**
   * Runs it to its end.
   *
   * @param args what followed the program's name
   * @return the process's exit code
   * @throws UsageFault to end with {@code messageName: text} on the error stream; without a text
   *     everything has been said already
   */
  int run(String[] args, Terminal io);
}
