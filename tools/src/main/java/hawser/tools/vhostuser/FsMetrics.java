package hawser.tools.vhostuser;

import hawser.fs.passthrough.Progress;
import java.util.Locale;

/** A shared folder's migrations as numbers, in Prometheus' text format. */
final class FsMetrics {
  private static final double SECOND = 1e9;

  private FsMetrics() {}

  static String text(Progress.Now now) {
    var text = new StringBuilder();
    add(text, "departures_total", "counter", "guests whose state was saved", now.departures());
    add(text, "arrivals_total", "counter", "guests whose state was loaded", now.arrivals());
    add(text, "failures_total", "counter", "departures and arrivals that failed", now.failures());
    add(text, "inodes", "gauge", "inodes gone through in the last or present one", now.inodes());
    add(text, "state_bytes", "gauge", "bytes of its state", now.bytes());
    head(text, "phase_seconds", "gauge", "how long each of its phases took");
    now.nanos()
        .forEach(
            (phase, nanos) ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "hawser_fs_migration_phase_seconds{phase=\"%s\"} %.6f%n",
                        phase.word(),
                        nanos / SECOND)));
    return text.toString();
  }

  private static void add(StringBuilder text, String name, String type, String help, long value) {
    head(text, name, type, help);
    text.append("hawser_fs_migration_%s %d%n".formatted(name, value));
  }

  private static void head(StringBuilder text, String name, String type, String help) {
    text.append("# HELP hawser_fs_migration_%s %s%n".formatted(name, help));
    text.append("# TYPE hawser_fs_migration_%s %s%n".formatted(name, type));
  }
}
