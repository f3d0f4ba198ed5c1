package hawser.tools.sandbox;

import hawser.base.UsageFault;
import hawser.sys.ThreadCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A user namespace for somebody who is not root. The kernel makes one only for a process with a
 * single thread, which no Java virtual machine is: unshare(1) does it on the way to the next stage.
 * For ranges other than one's own number it takes newuidmap(1) and newgidmap(1).
 */
record UserNamespace(List<IdMapping> users, List<IdMapping> groups) {
  private static final String PROGRAM = "unshare";

  /** Becomes the next stage in it. */
  UsageFault become(int socket) {
    var command = new ArrayList<String>();
    command.add(program());
    command.addAll(List.of("--user", "--keep-caps"));
    add(command, "--map-user", users, ThreadCalls.userId());
    add(command, "--map-group", groups, ThreadCalls.groupId());
    command.add("--");
    return Stage.become(command, new Stage(Stage.MAPPED, socket));
  }

  private static void add(List<String> to, String option, List<IdMapping> ranges, long own) {
    if (ranges.isEmpty()) {
      to.add(option + "=" + own);
    } else if (ranges.size() == 1 && ranges.getFirst().isOnly(own)) {
      to.add(option + "=" + ranges.getFirst().inside());
    } else {
      for (IdMapping each : ranges) {
        to.add("%ss=%d,%d,%d".formatted(option, each.outside(), each.inside(), each.count()));
      }
    }
  }

  private static String program() {
    String path = System.getenv("PATH");
    for (String folder : (path == null ? "/usr/bin:/bin" : path).split(":", -1)) {
      Path program = Path.of(folder, PROGRAM);
      if (program.isAbsolute() && Files.isExecutable(program)) {
        return program.toString();
      }
    }
    throw new UsageFault(
        "--sandbox=namespace needs the program unshare (util-linux) for a user other than root");
  }
}
