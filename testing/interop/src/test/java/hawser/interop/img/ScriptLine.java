package hawser.interop.img;

import java.util.ArrayList;
import java.util.List;

/**
 * One line of a script: a command of qemu-img, or a shell command that prepares images.
 *
 * @param number in the file, from 1
 * @param shell whether a shell runs it, on both sides
 * @param differs why the two sides are known to differ, or ""
 * @param text the command
 */
record ScriptLine(int number, boolean shell, String differs, String text) {
  private static final String DIFFERS = "# differs: ";

  /** Reads a script: {@code !} in front of shell commands, # for comments. */
  static List<ScriptLine> read(String script) {
    var lines = new ArrayList<ScriptLine>();
    String differs = "";
    int number = 0;
    for (String line : script.split("\n", -1)) {
      number++;
      if (line.startsWith(DIFFERS)) {
        differs = line.substring(DIFFERS.length());
      } else if (!line.isBlank() && !line.startsWith("#")) {
        boolean shell = line.startsWith("!");
        lines.add(new ScriptLine(number, shell, differs, shell ? line.substring(1) : line));
        differs = "";
      }
    }
    return lines;
  }

  /** The arguments, split at blanks outside single quotes; {@code DIR/} becomes the folder. */
  String[] arguments(String folder) {
    var arguments = new ArrayList<String>();
    var current = new StringBuilder();
    boolean quoted = false;
    boolean any = false;
    for (char c : (text + " ").toCharArray()) {
      if (c == '\'') {
        quoted = !quoted;
        any = true;
      } else if (c == ' ' && !quoted) {
        if (any || !current.isEmpty()) {
          arguments.add(current.toString().replace("DIR/", folder + "/"));
        }
        current.setLength(0);
        any = false;
      } else {
        current.append(c);
      }
    }
    return arguments.toArray(new String[0]);
  }
}
