package hawser.tools.nbdinfo;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.nbd.MetaContext;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import hawser.tools.Terminal;
import java.util.Locale;
import java.util.TreeMap;

/** Prints the extents of an export ({@code --map}). */
record MapReport(String context, boolean json, boolean totals, boolean color) {
  /** How much is asked about at a time, so that 32-bit replies can tell of all of it. */
  private static final long ASK_BYTES = 1L << 30;

  /** Prints runs as they become known. */
  private final class Runs {
    private final Terminal io;
    private final long size;
    private final TreeMap<Long, Long> sums = new TreeMap<>();
    private long at;
    private long start;
    private long flags = -1;
    private String separator = "\n";

    Runs(Terminal io, long size) {
      this.io = io;
      this.size = size;
    }

    void add(long length, long what) {
      long bytes = Math.min(length, size - at);
      if (bytes <= 0) {
        return;
      }
      if (what != flags) {
        end();
        start = at;
        flags = what;
      }
      at += bytes;
    }

    void end() {
      if (at > start) {
        if (totals) {
          sums.merge(flags, at - start, Long::sum);
        } else if (json) {
          io.print(separator);
          io.print(
              "{ \"offset\": %d, \"length\": %d, \"type\": %d%s}"
                  .formatted(start, at - start, flags, jsonDescription(flags, "")));
          separator = ",\n";
        } else {
          String text = description(flags);
          io.line(
              colored(
                  flags,
                  "%10d  %10d  %3d%s"
                      .formatted(start, at - start, flags, text.isEmpty() ? "" : "  " + text)));
        }
      }
      start = at;
    }
  }

  void print(NbdClient client, Terminal io) throws BlockFault {
    if (client.server().contexts().isEmpty()) {
      throw new UsageFault("--map: server does not support metadata context \"" + context + "\"");
    }
    long size = client.server().size();
    if (json) {
      io.print("[");
    }
    var runs = new Runs(io, size);
    var exchange = new Exchange();
    while (runs.at < size) {
      long before = runs.at;
      long ask = Math.min(ASK_BYTES, size - runs.at);
      client.call(exchange.status(runs.at, ask, 0, (id, length, flags) -> runs.add(length, flags)));
      if (runs.at == before) {
        throw new UsageFault("server told of no extents at offset " + before);
      }
    }
    runs.end();
    if (totals) {
      printTotals(runs.sums, size, io);
    }
    if (json) {
      io.print("\n]\n");
    }
  }

  private void printTotals(TreeMap<Long, Long> sums, long size, Terminal io) {
    String separator = "\n";
    for (var sum : sums.entrySet()) {
      double percent = 100.0 * sum.getValue() / size;
      long flags = sum.getKey();
      if (json) {
        io.print(separator);
        io.print(
            "{ \"size\": %d, \"percent\": %s, \"type\": %d%s }"
                .formatted(sum.getValue(), shortest(percent), flags, jsonDescription(flags, "")));
        separator = ",\n";
      } else {
        String text = description(flags);
        io.line(
            String.format(
                Locale.ROOT,
                "%10d %5.1f%% %3d%s",
                sum.getValue(),
                percent,
                flags,
                text.isEmpty() ? "" : " " + text));
      }
    }
  }

  /** As C's %g: six significant digits without trailing zeroes. */
  private static String shortest(double value) {
    String text = String.format(Locale.ROOT, "%.4f", value);
    return text.replaceAll("0+$", "").replaceAll("\\.$", "");
  }

  private String jsonDescription(long flags, String end) {
    String text = description(flags);
    return text.isEmpty() ? end : ", \"description\": \"" + text + "\"" + end;
  }

  private String colored(long flags, String text) {
    if (!color) {
      return text;
    }
    return (flags == 0 ? "\033[1;31m" : "\033[1;34m") + text + "\033[0m";
  }

  private String description(long flags) {
    if (context.equals(MetaContext.BASE_ALLOCATION)) {
      return switch ((int) flags) {
        case 0 -> "data";
        case 1 -> "hole";
        case 2 -> "zero";
        case 3 -> "hole,zero";
        default -> "";
      };
    }
    if (context.startsWith(MetaContext.QEMU_DIRTY_BITMAP)) {
      return flags == 0 ? "clean" : flags == 1 ? "dirty" : "";
    }
    if (context.equals(MetaContext.QEMU_ALLOCATION_DEPTH)) {
      return flags == 0 ? "absent" : flags == 1 ? "local" : "backing depth " + flags;
    }
    return "";
  }
}
