package hawser.block.file;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.Linux;
import hawser.sys.Result;
import hawser.sys.Stat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/**
 * How much room a file takes, for a command that runs for milliseconds. Java does not tell, and the
 * first native call of a process costs some 70 ms of processor time; the program {@code stat} costs
 * ten. Where there is no such program the native call is made after all.
 */
final class StoredBytes {
  /** The unit of st_blocks on Linux, whatever the file system's blocks are. */
  private static final int UNIT = 512;

  /** Far more digits than a number of blocks has. */
  private static final int ANSWER_BYTES_MAX = 64;

  private StoredBytes() {}

  /** Bytes of blocks that are allocated; empty where nobody can tell. */
  static OptionalLong of(String path) throws BlockFault {
    OptionalLong asked = askProgram(path);
    return asked.isPresent() || !Linux.available() ? asked : nativeCall(path);
  }

  private static OptionalLong askProgram(String path) {
    // "./" keeps a name that starts with a dash from being taken for an option.
    String operand = path.startsWith("/") ? path : "./" + path;
    try {
      Process stat =
          new ProcessBuilder("stat", "-L", "-c", "%b", operand)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      stat.getOutputStream().close();
      byte[] answer = stat.getInputStream().readNBytes(ANSWER_BYTES_MAX);
      stat.getInputStream().close();
      return blocks(new String(answer, StandardCharsets.US_ASCII).strip());
    } catch (IOException e) {
      // No such program, or it ended early: the caller has another way.
      return OptionalLong.empty();
    }
  }

  private static OptionalLong blocks(String answer) {
    try {
      return OptionalLong.of(Math.multiplyExact(Long.parseLong(answer), (long) UNIT));
    } catch (NumberFormatException | ArithmeticException e) {
      return OptionalLong.empty();
    }
  }

  private static OptionalLong nativeCall(String path) throws BlockFault {
    int fd =
        (int)
            Result.orFault(
                FileCalls.open(path, FileCalls.O_RDONLY | FileCalls.O_CLOEXEC, 0),
                "Could not open '" + path + "'");
    try {
      return OptionalLong.of(Stat.of(fd, path).storedBytes());
    } finally {
      FileCalls.close(fd);
    }
  }
}
