package hawser.tools.img;

import hawser.block.convert.Watcher;
import hawser.tools.Signals;
import hawser.tools.Terminal;

/**
 * How qemu-img shows how far it is: with {@code -p} a line that overwrites itself, else one line on
 * the error stream for each SIGUSR1. Managers read both.
 */
final class ProgressLine implements Watcher {
  private final Terminal io;
  private final boolean shown;
  private final boolean quiet;
  private final double step;
  private double printed;
  private double now;
  private volatile boolean asked;

  /** {@code step} is how many per cent must pass between two prints. */
  ProgressLine(ImgLine line, double step) {
    this.io = line.io();
    this.shown = line.progress();
    this.quiet = line.quiet();
    this.step = step;
    if (!shown) {
      Signals.handle("USR1", () -> asked = true);
    }
    print();
  }

  @Override
  public synchronized void progress(long done, long total) {
    at(total == 0 ? 100 : Math.min(100, 100.0 * done / total));
  }

  @Override
  public void warn(String message) {
    if (!quiet) {
      io.error("qemu-img: warning: " + message);
    }
  }

  /** Says that so many per cent are done. */
  private void at(double percent) {
    now = percent;
    if (Math.abs(now - printed) > step || (now == 100 && printed != 100)) {
      printed = now;
      print();
    }
  }

  private void print() {
    if (shown) {
      io.print("    (" + text() + "/100%)\r");
      io.flush();
    } else if (asked) {
      asked = false;
      io.error("    (" + text() + "/100%)");
    }
  }

  private String text() {
    return Numbers.twoDecimals(now);
  }

  /** Ends the line. */
  synchronized void end() {
    if (shown) {
      io.print("\n");
    }
  }
}
