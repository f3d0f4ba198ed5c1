package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The qemu-io of Hawser: opens a disk and runs commands from the command line or from input. */
public final class IoProgram implements Program {
  static final String MESSAGE_NAME = "qemu-io";

  /** The version whose behaviour is followed. */
  private static final String VERSION = "10.0.2";

  private static final Command TABLE =
      new Command(
          "",
          "Reads and writes a disk by command",
          "[FILE]",
          List.of(
              Option.value("object", "OBJECT", "define an object"),
              Option.flag("image-opts", "FILE is a list of options"),
              Option.value('c', "cmd", "COMMAND", "run this command; may be given many times"),
              Option.value('f', "format", "FORMAT", "the disk's format; probed without it"),
              Option.flag('r', "read-only", "open for reading only"),
              Option.flag('s', "snapshot", "write to a temporary file instead"),
              Option.flag('n', "nocache", "past the host's cache, as -t none"),
              Option.flag('C', "copy-on-read", "keep what is read from the backing disk"),
              Option.flag('m', "misalign", "use buffers that are not aligned"),
              Option.flag('k', "native-aio", "accepted; the engine is chosen by itself"),
              Option.value('i', "aio", "MODE", "accepted: threads, native or io_uring"),
              Option.value('t', "cache", "MODE", "how the host caches"),
              Option.value('d', "discard", "MODE", "ignore or unmap"),
              Option.value('T', "trace", "TRACE", "accepted and ignored"),
              Option.flag('U', "force-share", "open what another program writes; needs -r"),
              Option.flag('h', "help", "print this help and exit"),
              Option.flag('V', "version", "print the version and exit")));

  private final List<String> lines = new ArrayList<>();
  private final OpenFlags flags = new OpenFlags();
  private final IoObjects objects = new IoObjects();
  private @Nullable String format;
  private boolean imageOpts;
  private boolean misalign;

  @Override
  public String name() {
    return "io";
  }

  @Override
  public String messageName() {
    return MESSAGE_NAME;
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    Getopt line = new Getopt(MESSAGE_NAME, "", TABLE.options(), args, io);
    while (line.next()) {
      switch (line.key()) {
        case "h" -> {
          io.print(TABLE.help(MESSAGE_NAME));
          return 0;
        }
        case "V" -> {
          io.line("qemu-io version " + VERSION + " (Hawser)");
          return 0;
        }
        case "c" -> lines.add(line.value());
        case "f" -> format = line.value();
        case "m" -> misalign = true;
        case "image-opts" -> imageOpts = true;
        case "T" -> {}
        case "object" -> objects.add(line.value());
        default -> {
          String complaint = flags.take(line.key(), line.value());
          if (complaint != null) {
            throw new UsageFault(complaint);
          }
        }
      }
    }
    if (line.operands().size() > 1) {
      io.print(TABLE.help(MESSAGE_NAME));
      return 1;
    }
    if (format != null && imageOpts) {
      throw new UsageFault("--image-opts and -f are mutually exclusive");
    }
    return run(line.operands(), io);
  }

  private int run(List<String> operands, Terminal io) {
    var session = new IoSession(io, misalign, imageOpts, objects);
    if (!operands.isEmpty() && !FileCommands.open(session, request(operands.getFirst()))) {
      return 1;
    }
    boolean good = lines.isEmpty() ? interactive(session) : batch(session);
    try {
      session.close();
    } catch (BlockFault e) {
      session.error(e.getMessage());
      return 1;
    }
    return good ? 0 : 1;
  }

  private OpenRequest request(String name) {
    if (imageOpts) {
      try {
        return flags.request(null, OpenFlags.parsed(name));
      } catch (IllegalArgumentException e) {
        throw new UsageFault(String.valueOf(e.getMessage()));
      }
    }
    var options = new LinkedHashMap<String, Json>();
    if (format != null) {
      options.put("driver", Json.of(format));
    }
    return flags.request(name, new Json.Obj(options));
  }

  private boolean batch(IoSession session) {
    var commands = new IoCommands();
    boolean good = true;
    for (String line : lines) {
      if (!session.quitting()) {
        good &= commands.run(session, line);
      }
    }
    return good;
  }

  private static boolean interactive(IoSession session) {
    var commands = new IoCommands();
    var in = new BufferedReader(new InputStreamReader(session.io().in(), StandardCharsets.UTF_8));
    boolean good = true;
    try {
      while (!session.quitting()) {
        session.io().print(MESSAGE_NAME + "> ");
        session.io().flush();
        String line = in.readLine();
        if (line == null) {
          break;
        }
        good &= commands.run(session, line);
        session.flights().report();
      }
    } catch (IOException e) {
      session.error("cannot read commands: " + e.getMessage());
      return false;
    }
    return good;
  }
}
