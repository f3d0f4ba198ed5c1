package hawser.interop.guest;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import hawser.testkit.Ran;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The serial port of a guest, on which it takes commands. Used by one thread. */
final class ControlLine implements AutoCloseable {
  private static final Pattern STATUS = Pattern.compile("\r?\n?hawser guest status (\\d+)\r?\n");

  /** How long a guest may be silent before it counts as hung. */
  private static final int PATIENCE_MILLIS = 60_000;

  private final int fd;
  private final StringBuilder heard = new StringBuilder();

  ControlLine(Path socket) throws BlockFault {
    var address = new SocketAddress.Unix(socket.toString());
    this.fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    Result.orFault(SocketCalls.connect(fd, address), "connect to " + socket);
  }

  /** Says a command; {@link #answer} hears what comes of it. */
  void say(String command) {
    try (var arena = Arena.ofConfined()) {
      byte[] line = (command + "\n").getBytes(StandardCharsets.UTF_8);
      if (SocketCalls.send(fd, arena.allocateFrom(JAVA_BYTE, line)) != line.length) {
        throw new AssertionError("the guest's serial port does not take " + command);
      }
    }
  }

  /** Hears the output of the oldest command that was said, and how it ended. */
  Ran answer(String command) {
    Matcher status = STATUS.matcher(heard);
    while (!status.find()) {
      hear(command);
      status.reset();
    }
    var ran =
        new Ran(
            List.of(command),
            Integer.parseInt(status.group(1)),
            heard.substring(0, status.start()),
            "");
    heard.delete(0, status.end());
    return ran;
  }

  private void hear(String command) {
    if (SocketCalls.poll(fd, SocketCalls.POLLIN, PATIENCE_MILLIS) != 1) {
      throw new AssertionError("the guest hangs in: " + command + "\n" + heard);
    }
    try (var arena = Arena.ofConfined()) {
      var buffer = arena.allocate(4096);
      long count = SocketCalls.recv(fd, buffer, 0);
      if (count <= 0) {
        throw new AssertionError("the guest's machine ended in: " + command + "\n" + heard);
      }
      heard.append(new String(buffer.asSlice(0, count).toArray(JAVA_BYTE), StandardCharsets.UTF_8));
    }
  }

  @Override
  public void close() {
    FileCalls.close(fd);
  }
}
