package hawser.tools.nbdcopy;

import hawser.tools.Terminal;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Shows how far a copy is: a bar on standard error, or lines {@code 12/100} on a descriptor. Safe
 * from any thread.
 */
final class Progress implements AutoCloseable {
  private static final int BAR = 40;

  private final long size;
  private final @Nullable PrintStream out;
  private final boolean bar;
  private final AtomicLong done = new AtomicLong();
  private int shown = -1;

  private Progress(long size, @Nullable PrintStream out, boolean bar) {
    this.size = size;
    this.out = out;
    this.bar = bar;
  }

  static Progress of(CopyOptions options, long size, Terminal io) throws IOException {
    if (!options.progress || size <= 0) {
      return new Progress(size, null, false);
    }
    if (options.progressDescriptor < 0) {
      return new Progress(size, io.err(), true);
    }
    var stream = new FileOutputStream("/proc/self/fd/" + options.progressDescriptor);
    return new Progress(size, new PrintStream(stream, true, StandardCharsets.UTF_8), false);
  }

  /** So many bytes more are copied. */
  void add(long bytes) {
    if (out != null) {
      show((int) (done.addAndGet(bytes) * 100 / size));
    }
  }

  private synchronized void show(int percent) {
    if (out == null || percent <= shown) {
      return;
    }
    shown = percent;
    if (bar) {
      int filled = percent * BAR / 100;
      out.append(
          String.format(
              Locale.ROOT,
              "\r%3d%% [%s%s]%s",
              percent,
              "*".repeat(filled),
              "-".repeat(BAR - filled),
              percent == 100 ? "\n" : ""));
    } else {
      out.append(percent + "/100\n");
    }
    out.flush();
  }

  @Override
  public void close() {
    if (out != null && !bar) {
      out.close();
    }
  }
}
