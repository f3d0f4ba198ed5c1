package hawser.tools;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * The three streams of a command. Output is buffered as the C library buffers a pipe's and written
 * when the buffer is full, at {@link #flush} and at the end; errors go out at once. So a script
 * that catches both in one file finds them in the order it knows from the originals.
 *
 * @param in standard input
 * @param out standard output; its owner flushes
 * @param err standard error, unbuffered
 */
public record Terminal(InputStream in, PrintStream out, PrintStream err) {
  /** The C library's buffer for a pipe on Linux. */
  private static final int OUT_BYTES = 4096;

  /** The process's own streams. */
  public static Terminal ofProcess() {
    var out =
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), OUT_BYTES),
            false,
            StandardCharsets.UTF_8);
    // A message is collected and goes out as one write, so that two processes' lines do not mix.
    var err =
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.err), OUT_BYTES),
            true,
            StandardCharsets.UTF_8);
    return new Terminal(System.in, out, err);
  }

  /** Writes a text and no line end to standard output. */
  public void print(String text) {
    out.append(text);
  }

  /** Writes one line to standard output. */
  public void line(String text) {
    out.append(text).append('\n');
  }

  /** Writes one line to standard error, at once. */
  public void error(String text) {
    err.append(text).append('\n');
    err.flush();
  }

  /** Hands what was printed to the operating system. */
  public void flush() {
    out.flush();
  }
}
