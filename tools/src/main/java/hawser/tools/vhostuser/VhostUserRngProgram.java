package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.devices.rng.RngDevice;
import hawser.devices.rng.RngLimit;
import hawser.tools.Command;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Gives random bytes to a guest over vhost-user. */
public final class VhostUserRngProgram implements Program {
  private static final Command TABLE =
      BackEndLine.command(
          "Give random bytes to a virtual machine over vhost-user",
          Option.value("max-bytes", "N", "bytes that the guest may have per period"),
          Option.value("period", "N", "the period in milliseconds (default 65536)"));

  private int maxBytes;
  private int periodMillis = 65536;

  /** For one call of the command line. */
  public VhostUserRngProgram() {}

  @Override
  public String name() {
    return "vhost-user-rng";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var common = new BackEndLine(name(), io);
    boolean serve =
        common.read(
            args,
            TABLE,
            new Capabilities("rng", List.of()),
            line -> {
              switch (line.key()) {
                case "max-bytes" -> maxBytes = positive("--max-bytes", line.value());
                case "period" -> periodMillis = positive("--period", line.value());
                default -> throw line.unhandled();
              }
            });
    if (!serve) {
      return 0;
    }
    long nanos = TimeUnit.MILLISECONDS.toNanos(periodMillis);
    RngLimit limit = maxBytes == 0 ? RngLimit.NONE : new RngLimit(maxBytes, nanos);
    return ServedDevice.serve(new RngDevice(limit), common);
  }

  private static int positive(String option, String text) {
    int value = BackEndLine.number(option, text, Integer.MAX_VALUE);
    if (value == 0) {
      throw new UsageFault(option + ": 0 is not 1 or more");
    }
    return value;
  }
}
