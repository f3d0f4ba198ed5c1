package hawser.tools.nbdcopy;

import hawser.base.Size;
import hawser.base.UsageFault;
import hawser.tools.Command;
import hawser.tools.DiskOperand;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Terminal;
import java.util.List;

/** The command line of nbdcopy. */
final class CopyOptions {
  static final Command COMMAND =
      new Command(
          "",
          "Copy a disk to or from an NBD server",
          "SOURCE DESTINATION",
          List.of(
              Option.flag("help", "print this help and exit"),
              Option.flag('V', "version", "print the version and exit"),
              Option.flag("allocated", "allocate zeroes in the destination"),
              Option.value('C', "connections", "N", "connections to each server (default 4)"),
              Option.flag("destination-is-zero", "the destination reads as zeroes already"),
              Option.flag("target-is-zero", "the same"),
              Option.flag("flush", "make the destination durable before ending"),
              Option.flag("no-extents", "do not ask where the source has holes"),
              new Option('p', "progress", Option.Takes.MAYBE, "FD", "show how far it is"),
              Option.value("queue-size", "BYTES", "memory for requests under way (default 16M)"),
              Option.value("request-size", "BYTES", "bytes of one request (default 256K)"),
              Option.value('R', "requests", "N", "requests under way per connection (default 64)"),
              Option.value('S', "sparse", "BYTES", "look for zeroes of this size (0: do not)"),
              Option.flag("synchronous", "one request at a time"),
              Option.value('T', "threads", "N", "threads at most (default 0: one per processor)"),
              Option.flag('v', "verbose", "say more")));

  private static final int REQUEST_BYTES_MAX = 32 << 20;
  private static final int CONNECTIONS_MAX = 64;
  private static final int REQUESTS_MAX = 256;

  boolean help;
  boolean version;
  boolean allocated;
  boolean destinationIsZero;
  boolean flush;
  boolean extents = true;
  boolean progress;
  boolean synchronous;
  int progressDescriptor = -1;
  int connections = 4;
  int threads;
  int requests = 64;
  int requestBytes = 256 << 10;
  long queueBytes = 16 << 20;
  int sparse = 4096;
  List<DiskOperand> operands = List.of();

  static CopyOptions parse(String[] args, Terminal io) {
    var options = new CopyOptions();
    var line = new Getopt("nbdcopy", "Try 'nbdcopy --help'.", COMMAND.options(), args, io);
    while (line.next()) {
      options.take(line);
    }
    options.operands = DiskOperand.parse(line.operands());
    if (!options.help && !options.version && options.operands.size() != 2) {
      throw new UsageFault("a SOURCE and a DESTINATION are needed");
    }
    return options;
  }

  private void take(Getopt line) {
    switch (line.key()) {
      case "help" -> help = true;
      case "V" -> version = true;
      case "allocated" -> allocated = true;
      case "C" -> connections = number(line, CONNECTIONS_MAX);
      case "destination-is-zero", "target-is-zero" -> destinationIsZero = true;
      case "flush" -> flush = true;
      case "no-extents" -> extents = false;
      case "p" -> {
        progress = true;
        progressDescriptor = line.hasValue() ? number(line, 1 << 20) : -1;
      }
      case "queue-size" -> queueBytes = size(line, 1 << 12, 1L << 30);
      case "request-size" -> requestBytes = (int) size(line, 1 << 12, REQUEST_BYTES_MAX);
      case "R" -> requests = number(line, REQUESTS_MAX);
      case "S" -> sparse = sparse(line);
      case "synchronous" -> synchronous = true;
      case "T" -> threads = line.value().equals("0") ? 0 : number(line, 1 << 10);
      case "v" -> {}
      default -> throw line.unhandled();
    }
  }

  private static int sparse(Getopt line) {
    return line.value().equals("0") ? 0 : (int) size(line, 512, REQUEST_BYTES_MAX);
  }

  private static int number(Getopt line, int most) {
    if (!line.value().matches("\\d{1,9}") || Integer.parseInt(line.value()) > most) {
      throw new UsageFault(
          "--%s: '%s' is not a number up to %d".formatted(line.key(), line.value(), most));
    }
    return Math.max(1, Integer.parseInt(line.value()));
  }

  private static long size(Getopt line, long least, long most) {
    long value = Size.parse(line.value()).orElse(-1);
    if (value < least || value > most || Long.bitCount(value) != 1) {
      throw new UsageFault(
          "--%s: '%s' is not a power of two from %d to %d"
              .formatted(line.key(), line.value(), least, most));
    }
    return value;
  }

  /** Buffers of one lane. */
  int window(int lanes) {
    if (synchronous) {
      return 1;
    }
    long fits = Math.max(1, queueBytes / requestBytes / lanes);
    return (int) Math.min(requests, fits);
  }
}
