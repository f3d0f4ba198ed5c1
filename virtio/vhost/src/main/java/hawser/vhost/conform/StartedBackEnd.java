package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.vhost.frontend.Sockets;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A back-end that is started by a command, and again whenever it has ended, as virtiofsd does with
 * its front-end. Belongs to one thread.
 */
public final class StartedBackEnd implements AutoCloseable {
  /** How long a program is given to end after its front-end has left. */
  private static final Duration FAREWELL = Duration.ofMillis(500);

  /** Between two tries to connect. */
  private static final int PAUSE_MILLIS = 10;

  /** Exit codes from here on are a Rust program's panic and, for a shell, signals. */
  private static final int CRASHED = 101;

  private final String command;
  private final Path socket;
  private final Duration patience;
  private @Nullable Process process;
  private boolean stays;
  private @Nullable String crash;

  /**
   * Starts nothing yet.
   *
   * @param command for the shell
   */
  public StartedBackEnd(String command, Path socket, Duration patience) {
    this.command = command;
    this.socket = socket;
    this.patience = patience;
  }

  /** Connects, to a new process if the last one has ended; the caller owns the descriptor. */
  int connected() throws BlockFault {
    long until = System.nanoTime() + patience.toNanos();
    awaitFarewell();
    BlockFault refused;
    do {
      Process last = process;
      if (last == null || !last.isAlive()) {
        note(last);
        process = start();
      }
      try {
        return Sockets.connected(socket);
      } catch (BlockFault e) {
        refused = e;
        pause(PAUSE_MILLIS);
      }
    } while (System.nanoTime() - until < 0);
    throw refused;
  }

  private Process start() throws BlockFault {
    try {
      return new ProcessBuilder("/bin/sh", "-c", "exec " + command)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new BlockFault(Errno.ENOENT, "cannot start '%s': %s".formatted(command, e), e);
    }
  }

  /** A program that ends with its front-end must have done so before the next one comes. */
  private void awaitFarewell() {
    if (process != null && !stays) {
      stays = !ended(process, FAREWELL);
    }
  }

  private void note(@Nullable Process ended) {
    if (ended != null && ended.exitValue() >= CRASHED) {
      crash = "the process ended with status " + ended.exitValue();
    }
  }

  /** How a process that was followed by another one crashed, if one did since the last call. */
  @Nullable String crash() {
    String found = crash;
    crash = null;
    return found;
  }

  private static boolean ended(Process process, Duration within) {
    try {
      return process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void pause(int milliseconds) {
    try {
      TimeUnit.MILLISECONDS.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the last process. */
  @Override
  public void close() {
    Process last = process;
    if (last != null) {
      last.destroy();
      if (!ended(last, patience)) {
        last.destroyForcibly();
      }
    }
  }
}
