package hawser.tools.dist;

import hawser.tools.Command;
import hawser.tools.Option;
import hawser.tools.Program;
import java.util.ArrayList;
import java.util.List;

/** Completion for bash: programs, their commands, their long options; file names otherwise. */
final class Completion {
  private Completion() {}

  /** The script for {@code share/bash-completion/completions/hawser}. */
  static String of(List<Program> programs) {
    var cases = new StringBuilder();
    for (Program program : programs) {
      var names = new ArrayList<String>();
      for (Command command : program.commands()) {
        if (!command.name().isEmpty()) {
          names.add(command.name());
        }
      }
      for (Command command : program.commands()) {
        String pattern = '"' + program.name() + ' ' + command.name() + '"';
        if (command.name().isEmpty()) {
          pattern += "*";
        }
        cases.append("    ").append(pattern).append(") options=\"").append(options(command));
        cases.append("\" ;;\n");
      }
      if (!names.isEmpty()) {
        cases.append("    \"").append(program.name()).append(" \"*) words=\"");
        cases.append(String.join(" ", names)).append("\" ;;\n");
      }
    }
    return """
    # Completion of hawser for bash.
    _hawser() {
      local word=${COMP_WORDS[COMP_CWORD]} words= options=
      if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "%s" -- "$word"))
        return
      fi
      local above=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
      case "${above[0]} ${above[1]}" in
    %s  esac
      case $word in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word")) ;;
      esac
    }
    complete -o filenames -F _hawser hawser
    """
        .formatted(String.join(" ", programs.stream().map(Program::name).toList()), cases);
  }

  private static String options(Command command) {
    return String.join(
        " ",
        command.options().stream()
            .map(Option::longName)
            .filter(name -> !name.isEmpty())
            .map(name -> "--" + name)
            .toList());
  }
}
