package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.tools.StaleSocket;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A unix socket on which a program is asked: a line asks, lines answer, the connection ends. */
final class ControlSocket implements AutoCloseable {
  private final ServerSocketChannel server;
  private final @Nullable Path removable;
  private final Consumer<String> log;

  /** What a program says to a line. */
  @FunctionalInterface
  interface Answers {
    /** The answer, of whole lines. */
    String to(String question) throws IOException;
  }

  private ControlSocket(
      ServerSocketChannel server, @Nullable Path removable, Consumer<String> log) {
    this.server = server;
    this.removable = removable;
    this.log = log;
  }

  /** Listens, and answers until it is closed. */
  static ControlSocket listen(Path path, Answers answers, Consumer<String> log) {
    var socket = new ControlSocket(bind(path), path, log);
    socket.answer(answers);
    return socket;
  }

  /** Listens; whoever asks waits for {@link #answer}. Its file is somebody else's to remove. */
  static ControlSocket open(Path path, Consumer<String> log) {
    return new ControlSocket(bind(path), null, log);
  }

  private static ServerSocketChannel bind(Path path) {
    StaleSocket.remove(path, "--control-socket takes another one");
    try {
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(path));
      return server;
    } catch (IOException e) {
      throw new UsageFault("--control-socket: %s: %s".formatted(path, e.getMessage()));
    }
  }

  /** Answers until it is closed. */
  void answer(Answers answers) {
    Thread.ofPlatform().daemon().name("control").start(() -> serve(answers));
  }

  private void serve(Answers answers) {
    while (server.isOpen()) {
      try (SocketChannel client = server.accept();
          var reader = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8))) {
        String question = reader.readLine();
        String answer = question == null ? "" : answers.to(question);
        client.write(StandardCharsets.UTF_8.encode(answer));
      } catch (IOException e) {
        if (server.isOpen()) {
          log.accept("control socket: " + e.getMessage());
        }
      }
    }
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    if (removable != null) {
      StaleSocket.forget(removable);
    }
  }
}
