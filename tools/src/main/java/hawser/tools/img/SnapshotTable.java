package hawser.tools.img;

import hawser.base.Size;
import hawser.block.SnapshotInfo;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The table of internal snapshots that {@code info} and {@code snapshot -l} print. */
final class SnapshotTable {
  static final String HEADING =
      "%-7s %-16s %8s %19s %15s %10s"
          .formatted("ID", "TAG", "VM_SIZE", "DATE", "VM_CLOCK", "ICOUNT");

  private SnapshotTable() {}

  /** One snapshot, without a line end. The date is the local time. */
  static String row(SnapshotInfo snapshot) {
    String date =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT)
            .format(Instant.ofEpochSecond(snapshot.seconds()).atZone(ZoneId.systemDefault()));
    long millis = snapshot.vmClockNanos() / 1_000_000;
    long seconds = millis / 1000;
    String clock =
        "%04d:%02d:%02d.%03d"
            .formatted(seconds / 3600, seconds / 60 % 60, seconds % 60, millis % 1000);
    return "%-7s %-16s %8s %19s %15s %10s"
        .formatted(
            snapshot.id(),
            snapshot.name(),
            Size.human(snapshot.vmStateBytes()),
            date,
            clock,
            snapshot.icount() == -1 ? "--" : Long.toString(snapshot.icount()));
  }
}
