package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.CreateOption;
import hawser.block.Driver;
import hawser.block.Opener;
import hawser.tools.Terminal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code -o help} prints. */
final class OptionHelp {
  /** Where the descriptions start. */
  static final int COLUMN = 24;

  private OptionHelp() {}

  /**
   * Lists the options of a format, and those of the protocol when a name says which.
   *
   * @return the exit code
   */
  static int print(Terminal io, String format, @Nullable String name) throws BlockFault {
    Opener opener = Images.opener();
    Driver driver =
        opener
            .driver(format)
            .orElseThrow(() -> new UsageFault("Unknown file format '" + format + "'"));
    if (driver.createOptions().isEmpty()) {
      throw new UsageFault("Format driver '" + format + "' does not support image creation");
    }
    List<CreateOption> options =
        name == null ? driver.createOptions() : Formats.options(opener, driver, name).known();
    var lines = new ArrayList<String>();
    for (CreateOption option : options) {
      lines.add(CreateCommand.describe(option));
    }
    Collections.sort(lines);
    io.line(name == null ? "Supported " + format + " options:" : "Supported options:");
    for (String line : lines) {
      io.line(line);
    }
    if (name == null) {
      io.print("\nThe protocol level may support further options.\n");
      io.print("Specify the target filename to include those options.\n");
    }
    return 0;
  }
}
