package hawser.fs.passthrough;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * How far a guest's departure or arrival is. Written by the thread that works on it, read by any.
 */
public final class Progress {
  private final Map<Phase, Long> ended = new EnumMap<>(Phase.class);
  private final AtomicLong inodes = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private volatile long total;
  private volatile boolean stopped;
  private Phase phase = Phase.IDLE;
  private long began;
  private long departures;
  private long arrivals;
  private long failures;

  /** Whether events are for recordings. */
  private final boolean recorded;

  /** Nothing has begun; nobody records it. */
  Progress() {
    this(false);
  }

  Progress(boolean recorded) {
    this.recorded = recorded;
  }

  /** What is done one after the other. */
  public enum Phase {
    /** Nobody migrates. */
    IDLE,
    /** The guest still runs: everything is gone through once, so that it goes faster then. */
    PREPARING,
    /** The guest has stopped: what it holds open is looked for. */
    FINDING,
    /** The state is written. */
    SAVING,
    /** A state is read and checked. */
    LOADING,
    /** What it tells is opened. */
    OPENING;

    /** Its name in reports. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * How far it is.
   *
   * @param phase what is being done
   * @param inodes how many inodes have been gone through in this phase
   * @param total of how many; 0 where nobody knows yet
   * @param bytes bytes of state written or read
   * @param nanos how long each phase took that is over, and the present one so far
   * @param departures guests whose state was saved since this daemon began
   * @param arrivals guests whose state was loaded
   * @param failures departures and arrivals that failed
   */
  public record Now(
      Phase phase,
      long inodes,
      long total,
      long bytes,
      Map<Phase, Long> nanos,
      long departures,
      long arrivals,
      long failures) {
    @Override
    public String toString() {
      return "%s%d%s inodes, %d bytes; %s"
          .formatted(
              phase == Phase.IDLE ? "" : phase.word() + ": ",
              inodes,
              total == 0 ? "" : " of " + total,
              bytes,
              phases());
    }

    /** How long each phase took, in words. */
    String phases() {
      return nanos.entrySet().stream()
          .map(e -> "%s %d ms".formatted(e.getKey().word(), millis(e.getValue())))
          .collect(Collectors.joining(", "));
    }

    private static long millis(long nanos) {
      return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
  }

  /** A phase begins, and the one before ends. */
  synchronized void begin(Phase next) {
    if (next == Phase.PREPARING || next == Phase.LOADING) {
      ended.clear();
    } else if (next == Phase.FINDING) {
      ended.keySet().retainAll(Set.of(Phase.PREPARING));
    }
    end();
    phase = next;
    began = System.nanoTime();
    stopped = false;
    if (next != Phase.OPENING) {
      total = 0;
      inodes.set(0);
      bytes.set(0);
    }
  }

  /** The last phase is over; what was counted stays to be read until the next begins. */
  synchronized void end() {
    if (phase != Phase.IDLE) {
      ended.merge(phase, System.nanoTime() - began, Long::sum);
    }
    phase = Phase.IDLE;
  }

  /** A guest has left, or its state could not be written; tells who listens. */
  synchronized Now left(boolean well) {
    end();
    departures += well ? 1 : 0;
    return over("departure", well);
  }

  /** A guest has arrived, or has been refused; tells who listens. */
  synchronized Now arrived(boolean well) {
    end();
    arrivals += well ? 1 : 0;
    return over("arrival", well);
  }

  private Now over(String direction, boolean well) {
    failures += well ? 0 : 1;
    Now now = now();
    MigrationEvent event = MigrationEvent.of(direction, well, now);
    if (recorded) {
      event.commit();
    }
    return now;
  }

  void total(long inodesInAll) {
    total = inodesInAll;
  }

  void oneMore() {
    inodes.incrementAndGet();
  }

  /** Whoever prepares is to leave off. */
  void stop() {
    stopped = true;
  }

  boolean isStopped() {
    return stopped;
  }

  /** How far it is now. */
  public synchronized Now now() {
    var nanos = new EnumMap<Phase, Long>(ended);
    if (phase != Phase.IDLE) {
      nanos.merge(phase, System.nanoTime() - began, Long::sum);
    }
    return new Now(phase, inodes.get(), total, bytes.get(), nanos, departures, arrivals, failures);
  }

  /** Counts what is written. */
  OutputStream counting(OutputStream to) {
    return new FilterOutputStream(to) {
      @Override
      public void write(int one) throws IOException {
        out.write(one);
        bytes.incrementAndGet();
      }

      @Override
      public void write(byte[] some, int offset, int length) throws IOException {
        out.write(some, offset, length);
        bytes.addAndGet(length);
      }
    };
  }

  /** Counts what is read. */
  InputStream counting(InputStream from) {
    return new FilterInputStream(from) {
      @Override
      public int read() throws IOException {
        int one = in.read();
        bytes.addAndGet(one < 0 ? 0 : 1);
        return one;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        int count = in.read(into, offset, length);
        bytes.addAndGet(Math.max(0, count));
        return count;
      }
    };
  }
}
