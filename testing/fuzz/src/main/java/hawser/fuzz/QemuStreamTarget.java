package hawser.fuzz;

import hawser.fs.state.QemuStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A migration stream of QEMU's: what is found in it as a state lies in it, and ends. */
public final class QemuStreamTarget {
  private static final Path FILE = file();

  private QemuStreamTarget() {}

  private static Path file() {
    try {
      Path file = Files.createTempFile("hawser-fuzz", ".stream");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Looks through one stream. */
  public static void fuzzerTestOneInput(byte[] input) {
    try (FileChannel file =
        FileChannel.open(FILE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      file.truncate(0);
      file.write(ByteBuffer.wrap(input), 0);
      QemuStream.begins(file);
      byte[] state;
      try (InputStream found = QemuStream.state(file)) {
        state = found.readAllBytes();
      } catch (IOException none) {
        if (none.getMessage() == null) {
          throw new AssertionError("refused without a reason", none);
        }
        return;
      }
      if (state.length == 0 || state.length > input.length) {
        throw new AssertionError(
            "a state of %d bytes in a stream of %d".formatted(state.length, input.length));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
