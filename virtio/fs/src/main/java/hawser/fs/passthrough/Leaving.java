package hawser.fs.passthrough;

import hawser.base.ThreadEnd;
import hawser.fs.state.StateForms;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A guest's departure: gone through once while it still runs, judged when it has stopped, and then
 * written. Belongs to the threads that the connection uses one after the other; the preparation has
 * one of its own.
 */
final class Leaving {
  private final Share share;
  private final Locks locks;
  private final HiddenLinks hidden;
  private final MigrationOptions options;
  private final Progress progress;
  private final Consumer<String> log;
  private @Nullable Thread preparation;
  private @Nullable StateSaver ready;

  Leaving(
      Share share,
      Locks locks,
      HiddenLinks hidden,
      MigrationOptions options,
      Progress progress,
      Consumer<String> log) {
    this.share = share;
    this.locks = locks;
    this.hidden = hidden;
    this.options = options;
    this.progress = progress;
    this.log = log;
  }

  /**
   * Rehearses while the guest runs: names are in the host's memory then, names that others have
   * changed are known, and our own code is compiled when the guest waits for it.
   */
  synchronized void prepare() {
    cancel();
    progress.begin(Progress.Phase.PREPARING);
    preparation =
        Thread.ofPlatform()
            .daemon()
            .name("fs-prepare")
            .start(
                () -> {
                  try {
                    survey(progress);
                    progress.end();
                  } catch (IOException e) {
                    log.accept("preparing to leave: " + e.getMessage());
                  }
                });
  }

  /** Leaves off preparing. */
  synchronized void cancel() {
    ready = null;
    Thread running = preparation;
    preparation = null;
    if (running != null) {
      progress.stop();
      ThreadEnd.await(running);
    }
  }

  /** What would not survive now, with what counted when it was asked for. */
  Survey survey(Progress seen) throws IOException {
    List<String> unknown = unknown();
    return unknown.isEmpty()
        ? StateSaver.survey(share, locks, options.limits(), seen)
        : new Survey(unknown, 0, 0, 0, 0, 0, 0);
  }

  private List<String> unknown() {
    long flags = share.agreed & options.form().unknownFlags();
    return flags == 0
        ? List.of()
        : List.of(
            "the guest has agreed to %s, which the other daemon does not know"
                .formatted(Features.names(flags)));
  }

  /** The guest has stopped: what would be lost, in words. {@link #save} tells what was found. */
  synchronized List<String> obstacles() {
    cancel();
    List<String> unknown = unknown();
    if (!unknown.isEmpty()) {
      return unknown;
    }
    StateSaver saver = StateSaver.of(share, locks, options.limits(), hidden, progress);
    ready = saver;
    return saver.problems();
  }

  /** Writes the state of a guest that has stopped. */
  synchronized void save(OutputStream to) throws IOException {
    StateSaver known = ready;
    ready = null;
    StateSaver saver =
        known == null ? StateSaver.of(share, locks, options.limits(), hidden, progress) : known;
    progress.begin(Progress.Phase.SAVING);
    boolean well = false;
    try {
      StateForms form = options.form();
      saver.save(form.writing(progress.counting(to)));
      well = true;
    } finally {
      Progress.Now report = progress.left(well);
      log.accept((well ? "left: " : "could not leave: ") + report);
    }
  }

  /** The guest goes on here. */
  synchronized void stayed() {
    ready = null;
  }
}
