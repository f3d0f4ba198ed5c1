package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.tools.Getopt;
import java.util.LinkedHashMap;
import java.util.List;

/** {@code open}, {@code close} and {@code reopen}. */
final class FileCommands {
  private FileCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
                "open",
                "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
                "open the file specified by path",
                1,
                -1,
                FileCommands::open)
            .called("o")
            .withoutFile()
            .helping("\nThe options are those of the program itself; -o gives the driver's.\n"),
        IoCommand.of(
                "close",
                null,
                "close the current open file",
                0,
                0,
                (session, words) -> {
                  session.close();
                  return true;
                })
            .called("c"),
        IoCommand.of(
                "reopen",
                "[(-r|-w)] [-c cache] [-o options]",
                "reopens an image with new options",
                0,
                -1,
                Reopening::run)
            .helping(
                """

                 -r  for reading only
                 -w  for reading and writing
                 -c  with another cache mode
                 -o  with other options of the driver
                """));
  }

  /** Opens a disk for the session; false after a complaint. */
  static boolean open(IoSession session, OpenRequest request) {
    if (session.isOpen()) {
      session.error("file open already, try 'help close'");
      return false;
    }
    try {
      session.open(request);
      return true;
    } catch (BlockFault e) {
      String device = request.name() == null ? "" : " device " + request.name();
      session.error("can't open" + device + ": " + e.getMessage());
      return false;
    }
  }

  private static boolean open(IoSession session, Words words) {
    Getopt line = words.options("snCro:ki:t:d:U");
    var asked = new OpenFlags();
    Json.Obj options = new Json.Obj(new LinkedHashMap<>());
    while (line.next()) {
      if (line.key().equals("o")) {
        if (session.imageOpts()) {
          session.io().line("--image-opts and 'open -o' are mutually exclusive");
          return false;
        }
        options = OpenFlags.parsed(line.value());
        continue;
      }
      String complaint = asked.take(line.key(), line.value());
      if (complaint != null) {
        session.error(complaint);
        return false;
      }
    }
    List<String> operands = line.operands();
    if (operands.size() > 1) {
      return words.usage();
    }
    String name = operands.isEmpty() ? null : operands.getFirst();
    if (name != null && session.imageOpts()) {
      options = OpenFlags.parsed(name);
      name = null;
    }
    return open(session, asked.request(name, options));
  }
}
