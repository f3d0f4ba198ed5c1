package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.devices.input.InputDevice;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Gives a keyboard to a guest over vhost-user, whose keys a script presses. */
public final class VhostUserInputProgram implements Program {
  private static final int SCRIPT_BYTES_MAX = 1 << 20;
  private static final int CODE_MAX = 0xffff;

  private static final Command TABLE =
      BackEndLine.command(
          "Give a keyboard to a virtual machine over vhost-user",
          Option.value("script", "FILE", "events to send, a line each: TYPE CODE VALUE"));

  private record Event(int type, int code, int value) {}

  private String script = "";

  /** For one call of the command line. */
  public VhostUserInputProgram() {}

  @Override
  public String name() {
    return "vhost-user-input";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var common = new BackEndLine(name(), io);
    if (!common.read(args, TABLE, new Capabilities("input", List.of()), this::take)) {
      return 0;
    }
    List<Event> events = events();
    var device = new InputDevice();
    Thread.ofPlatform().daemon().name("input-script").start(() -> play(events, device));
    return ServedDevice.serve(device, common);
  }

  private void take(Getopt line) {
    if (!line.key().equals("script")) {
      throw line.unhandled();
    }
    script = line.value();
  }

  private static void play(List<Event> events, InputDevice device) {
    for (Event event : events) {
      if (!device.send(event.type, event.code, event.value)) {
        return;
      }
    }
  }

  private List<Event> events() {
    if (script.isEmpty()) {
      throw new UsageFault("--script is needed");
    }
    try {
      Path file = Path.of(script);
      if (Files.size(file) > SCRIPT_BYTES_MAX) {
        throw new UsageFault("--script: more than %d bytes".formatted(SCRIPT_BYTES_MAX));
      }
      var found = new ArrayList<Event>();
      for (String line : Files.readAllLines(file)) {
        found.add(event(line));
      }
      return found;
    } catch (IOException e) {
      throw new UsageFault("cannot read '%s': %s".formatted(script, e.getMessage()));
    }
  }

  private static Event event(String line) {
    String[] word = line.strip().split(" ", -1);
    if (word.length != 3) {
      throw new UsageFault("--script: '%s' is not TYPE CODE VALUE".formatted(line));
    }
    return new Event(
        BackEndLine.number("--script", word[0], CODE_MAX),
        BackEndLine.number("--script", word[1], CODE_MAX),
        BackEndLine.number("--script", word[2], Integer.MAX_VALUE));
  }
}
