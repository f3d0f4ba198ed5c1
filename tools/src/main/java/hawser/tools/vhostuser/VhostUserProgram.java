package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.UsageFault;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import hawser.vhost.conform.Case;
import hawser.vhost.conform.Conformance;
import hawser.vhost.conform.Probe;
import hawser.vhost.conform.StartedBackEnd;
import hawser.vhost.conform.Subject;
import hawser.vhost.conform.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks at any vhost-user back-end: what it offers, and whether it keeps the rules. */
public final class VhostUserProgram implements Program {
  private static final int PATIENCE_SECONDS_MAX = 3600;

  private static final Option PATIENCE =
      Option.value("patience", "SECONDS", "how long an answer may take (default 10)");
  private static final Option START =
      Option.value("start", "COMMAND", "start the back-end so, and again when it has ended");
  private static final Option HELP = Option.flag('h', "help", "print this help and exit");

  private static final Command PROBE =
      new Command(
          "probe", "Print what a back-end offers", "SOCKET", List.of(START, PATIENCE, HELP));

  private static final Command CONFORM =
      new Command(
          "conform",
          "Judge a back-end by a list of cases",
          "SOCKET",
          List.of(
              Option.value("device", "TYPE", "blk: a disk, which is read from (default any)"),
              START,
              Option.flag("list", "only print the cases and the rule of each"),
              PATIENCE,
              HELP));

  private boolean blk;
  private boolean list;
  private boolean help;
  private @Nullable String start;
  private Duration patience = Duration.ofSeconds(10);

  /** For one call of the command line. */
  public VhostUserProgram() {}

  @Override
  public String name() {
    return "vhost-user";
  }

  @Override
  public List<Command> commands() {
    return List.of(PROBE, CONFORM);
  }

  @Override
  public int run(String[] args, Terminal io) {
    String wanted = args.length == 0 ? "" : args[0];
    Command command =
        switch (wanted) {
          case "probe" -> PROBE;
          case "conform" -> CONFORM;
          case "-h", "--help" -> {
            help = true;
            yield PROBE;
          }
          default -> throw new UsageFault("'probe' or 'conform' is needed, not '" + wanted + "'");
        };
    if (help) {
      commands().forEach(each -> io.print(each.help(name())));
      return 0;
    }
    String[] rest = Arrays.copyOfRange(args, 1, args.length);
    var line = new Getopt(name(), "Try 'vhost-user --help'", command.options(), rest, io);
    while (line.next()) {
      take(line);
    }
    if (help) {
      io.print(command.help(name()));
      return 0;
    }
    return run(command, line.operands(), io);
  }

  private void take(Getopt line) {
    switch (line.key()) {
      case "device" -> {
        if (!List.of("any", "blk").contains(line.value())) {
          throw new UsageFault("--device: '%s' is neither blk nor any".formatted(line.value()));
        }
        blk = line.value().equals("blk");
      }
      case "list" -> list = true;
      case "start" -> start = line.value();
      case "patience" ->
          patience =
              Duration.ofSeconds(
                  Math.max(
                      1, BackEndLine.number("--patience", line.value(), PATIENCE_SECONDS_MAX)));
      case "h" -> help = true;
      default -> throw line.unhandled();
    }
  }

  private int run(Command command, List<String> operands, Terminal io) {
    List<Case> cases = blk ? Conformance.forBlk() : Conformance.forAnyDevice();
    if (list) {
      cases.forEach(each -> io.line(each.name() + ": " + each.rule()));
      return 0;
    }
    if (operands.size() != 1) {
      throw new UsageFault("one socket is needed");
    }
    Path socket = Path.of(operands.getFirst());
    try (StartedBackEnd started =
        start == null ? null : new StartedBackEnd(start, socket, patience)) {
      return run(command, cases, new Subject(socket, patience, started), io);
    }
  }

  private static int run(Command command, List<Case> cases, Subject subject, Terminal io) {
    try {
      List<String> offered = Probe.lines(subject);
      if (command.equals(PROBE)) {
        offered.forEach(io::line);
        return 0;
      }
    } catch (BlockFault | PeerFault fault) {
      throw new UsageFault(String.valueOf(fault.getMessage()));
    }
    return Conformance.judge(subject, cases, (each, verdict) -> report(each, verdict, io)) ? 0 : 1;
  }

  private static void report(Case each, Verdict verdict, Terminal io) {
    String line =
        switch (verdict) {
          case Verdict.Pass(String note) -> row("pass", each, note);
          case Verdict.Fail(String how) ->
              row("FAIL", each, how) + "\n              rule: " + each.rule();
          case Verdict.NotOffered(String what) -> row("not offered", each, what);
          case Verdict.NotTried(String why) -> row("not tried", each, why);
        };
    io.line(line);
    io.flush();
  }

  private static String row(String outcome, Case each, String note) {
    return "%-12s  %-34s %s".formatted(outcome, each.name(), note).stripTrailing();
  }
}
