package hawser.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * A program that runs beside the test. What it prints goes to files, so that it never blocks on a
 * full pipe. Closing ends it and whatever it started. Used by one thread.
 */
public final class Peer implements AutoCloseable {
  /** How long a condition may take on a busy machine before the test gives up. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** How long a program may run when its end is awaited: longer than any does that is not stuck. */
  private static final Duration LONGEST = Duration.ofMinutes(4);

  /** How long a program may take to end after SIGTERM before it is killed. */
  private static final Duration GRACE = Duration.ofSeconds(20);

  /** The pause between two looks at a condition. */
  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);

  private final Process process;
  private final String command;
  private final Path out;
  private final Path err;

  /** Starts the program, with an empty standard input unless the builder says otherwise. */
  public Peer(ProcessBuilder builder) throws IOException {
    this.command = String.join(" ", builder.command());
    this.out = Files.createTempFile("hawser-peer", ".out");
    this.err = Files.createTempFile("hawser-peer", ".err");
    if (builder.redirectInput().equals(ProcessBuilder.Redirect.PIPE)) {
      builder.redirectInput(Path.of("/dev/null").toFile());
    }
    this.process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
  }

  /** The process itself, for its id or a signal. */
  public Process process() {
    return process;
  }

  /** Standard output so far. */
  public String out() {
    return text(out);
  }

  /** Standard error so far. */
  public String err() {
    return text(err);
  }

  /** Waits for the end; the exit code. */
  public int await() {
    try {
      if (!process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError(command + " does not end\n" + out() + err());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for " + command, e);
    }
  }

  /** Sends SIGTERM and waits for the end; the exit code. */
  public int terminate() {
    process.destroy();
    return await();
  }

  /** Sends SIGKILL, as a crash would, and waits for the end. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  /** Waits until the program, or anybody, listens on a unix socket. */
  public Peer awaitSocket(Path socket) {
    String path = socket.toAbsolutePath().toString();
    return await("listening on " + path, () -> listensOnUnixSocket(path));
  }

  /** Waits until somebody on this machine listens on a TCP port. */
  public Peer awaitPort(int port) {
    return await("listening on port " + port, () -> listensOnPort(port));
  }

  /** Waits until standard output or standard error contains a text. */
  public Peer awaitText(String text) {
    return await("printing '" + text + "'", () -> out().contains(text) || err().contains(text));
  }

  /** Waits until something is so; where it never will be, the program is ended too. */
  public Peer await(String what, BooleanSupplier condition) {
    long giveUp = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (!process.isAlive() && !condition.getAsBoolean()) {
        throw givenUp("ended before " + what);
      }
      if (System.nanoTime() - giveUp > 0) {
        throw givenUp("is not yet " + what);
      }
      LockSupport.parkNanos(LOOK_AGAIN.toNanos());
    }
    return this;
  }

  /** For those who would have closed what they now do not get. */
  private AssertionError givenUp(String why) {
    var failure = new AssertionError(command + " " + why + "\n" + out() + err());
    close();
    return failure;
  }

  /** Ends the program and its children, first politely, and removes what it printed. */
  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(GRACE.toSeconds(), TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
      }
      Files.deleteIfExists(out);
      Files.deleteIfExists(err);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while ending " + command, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // A look at the kernel's table: connecting would use up the one client that some servers accept.
  private static boolean listensOnUnixSocket(String path) {
    return text(Path.of("/proc/net/unix"))
        .lines()
        .map(line -> line.split(" +", 8))
        .anyMatch(
            field -> field.length == 8 && field[3].equals("00010000") && field[7].equals(path));
  }

  private static boolean listensOnPort(int port) {
    String ending = ":%04X".formatted(port);
    return (text(Path.of("/proc/net/tcp")) + text(Path.of("/proc/net/tcp6")))
        .lines()
        .map(line -> line.strip().split(" +", -1))
        .anyMatch(field -> field.length > 3 && field[1].endsWith(ending) && field[3].equals("0A"));
  }

  private static String text(Path file) {
    try {
      // What is no UTF-8 is no reason to fail: some peers print bytes of the disk.
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
