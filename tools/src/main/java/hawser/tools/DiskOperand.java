package hawser.tools;

import hawser.base.UsageFault;
import java.util.ArrayList;
import java.util.List;

/** An operand of libnbd's programs: a name, or a server to start, written {@code [ CMD ARGS ]}. */
public sealed interface DiskOperand {
  /** A URI, a file name or one of the program's own words. */
  record Named(String name) implements DiskOperand {}

  /** The command of a server that is to run meanwhile. */
  record Launched(List<String> command) implements DiskOperand {
    /** Copies the list. */
    public Launched {
      command = List.copyOf(command);
    }
  }

  /**
   * The operands that these words are.
   *
   * @throws UsageFault when a bracket is missing, or there is nothing in between
   */
  static List<DiskOperand> parse(List<String> words) {
    var found = new ArrayList<DiskOperand>();
    for (int at = 0; at < words.size(); at++) {
      if (!words.get(at).equals("[")) {
        found.add(new Named(words.get(at)));
        continue;
      }
      int end = words.subList(at, words.size()).indexOf("]") + at;
      if (end <= at + 1) {
        throw new UsageFault(
            end < at
                ? "'[' has no ']' as a word of its own after it"
                : "there is no command between '[' and ']'");
      }
      found.add(new Launched(words.subList(at + 1, end)));
      at = end;
    }
    return found;
  }
}
