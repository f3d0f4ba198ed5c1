package hawser.tools.up;

import hawser.base.BlockFault;
import hawser.base.ThreadEnd;
import hawser.base.UsageFault;
import hawser.sys.FileCalls;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.Spawn;
import hawser.tools.StaleSocket;
import hawser.tools.sandbox.Parent;
import hawser.vhost.backend.BackEndServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A folder shared with guests by a virtiofsd of our own, which confines itself as a process of its
 * own. Closing this ends it, and so does the end of this process, or of the thread that made this.
 */
final class SharedFolder implements AutoCloseable {
  private static final int FIRST_DESCRIPTOR = 3;

  private final Path folder;
  private final Path socket;
  private final int pid;
  private final Thread waiting;
  private volatile boolean closing;

  /** Starts sharing; guests can connect when this returns. */
  SharedFolder(Path folder, Path socket, Consumer<String> log) throws BlockFault {
    this.folder = folder;
    this.socket = socket;
    StaleSocket.remove(socket, "--socket takes another folder for it");
    int fd = BackEndServer.listen(new SocketAddress.Unix(socket.toString()));
    try {
      List<String> command = daemon("--shared-dir=" + folder, "--fd=" + FIRST_DESCRIPTOR);
      this.pid =
          (int)
              Result.orFault(
                  Spawn.start(command, environment(), fd, FIRST_DESCRIPTOR), "cannot share");
    } finally {
      FileCalls.close(fd);
    }
    this.waiting = Thread.ofPlatform().daemon().name("share").start(() -> await(log));
  }

  private void await(Consumer<String> log) {
    int code = ProcessCalls.waitFor(pid);
    if (!closing) {
      log.accept("%s is not shared any more: its daemon has ended with %d".formatted(folder, code));
    }
  }

  /** This program's own command line, as far as its main class, and another program's after it. */
  private static List<String> daemon(String... arguments) {
    var command = new ArrayList<String>();
    try {
      String all = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.UTF_8);
      for (String word : all.split("\0", -1)) {
        command.add(word);
        if (word.endsWith("hawser.tools.Main")) {
          break;
        }
      }
      command.set(0, Files.readSymbolicLink(Path.of("/proc/self/exe")).toString());
    } catch (IOException e) {
      throw new UsageFault("--share needs /proc: " + e.getMessage());
    }
    command.add(1, Parent.flag());
    command.addAll(List.of("--as", "virtiofsd", "--log-level=warn"));
    command.addAll(List.of(arguments));
    return command;
  }

  private static List<String> environment() {
    return System.getenv().entrySet().stream()
        .map(variable -> variable.getKey() + "=" + variable.getValue())
        .toList();
  }

  Path folder() {
    return folder;
  }

  Path socket() {
    return socket;
  }

  @Override
  public void close() {
    closing = true;
    if (waiting.isAlive()) {
      ProcessCalls.signal(pid, ProcessCalls.SIGTERM);
    }
    ThreadEnd.await(waiting);
    StaleSocket.forget(socket);
  }
}
