package hawser.tools.io;

import hawser.sys.ProcessCalls;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;

/** Commands on the process itself: waiting and dying; and zones, which no disk here has. */
final class ProcessCommands {
  private static final int SIGNAL_MAX = 65;
  private static final int ABORT = 6;

  private ProcessCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
                "abort",
                null,
                "simulate a program crash using abort(3)",
                0,
                0,
                (session, words) -> raise(session, ABORT))
            .withoutFile(),
        IoCommand.of("sigraise", "signal", "raises a signal", 1, 1, ProcessCommands::signal)
            .withoutFile()
            .helping("\nEnds the program as that signal does: 'sigraise 9'.\n"),
        IoCommand.of(
                "sleep",
                null,
                "waits for the given value in milliseconds",
                1,
                1,
                ProcessCommands::sleep)
            .withoutFile(),
        zone(
            "zone_append",
            "zap",
            "offset len [len..]",
            "append write a number of bytes at a" + " specified offset",
            "zone append"),
        zone(
            "zone_close",
            "zc",
            "offset len",
            "close a range of zones in zone block device",
            "zone close"),
        zone(
            "zone_finish",
            "zf",
            "offset len",
            "finish a range of zones in zone block device",
            "zone finish"),
        zone(
            "zone_open",
            "zo",
            "offset len",
            "explicit open a range of zones in zone block device",
            "zone open"),
        zone("zone_report", "zrp", "offset number", "report zone information", "zone report"),
        zone(
            "zone_reset",
            "zrs",
            "offset len",
            "reset a zone write pointer in zone block device",
            "zone reset"));
  }

  private static IoCommand zone(
      String name, String alias, String arguments, String text, String failing) {
    return IoCommand.of(
            name,
            arguments,
            text,
            2,
            4,
            (session, words) -> {
              session.io().line(failing + " failed: Operation not supported");
              return false;
            })
        .called(alias);
  }

  private static boolean signal(IoSession session, Words words) {
    OptionalLong signal = words.number(words.get(0));
    if (signal.isEmpty()) {
      return false;
    }
    if (signal.getAsLong() > SIGNAL_MAX) {
      session
          .io()
          .line("signal argument '%s' is too large to be a valid signal".formatted(words.get(0)));
      return false;
    }
    return raise(session, (int) signal.getAsLong());
  }

  private static boolean raise(IoSession session, int signal) {
    session.io().flush();
    return ProcessCalls.die(signal) == 0;
  }

  private static boolean sleep(IoSession session, Words words) {
    long millis;
    try {
      millis = Long.decode(words.get(0));
    } catch (NumberFormatException e) {
      millis = -1;
    }
    if (millis < 0) {
      session.io().line(words.get(0) + " is not a valid number");
      return false;
    }
    long end = System.nanoTime() + millis * 1_000_000;
    long left = end - System.nanoTime();
    while (left > 0) {
      LockSupport.parkNanos(Math.min(left, 1_000_000));
      session.flights().report();
      left = end - System.nanoTime();
    }
    return true;
  }
}
