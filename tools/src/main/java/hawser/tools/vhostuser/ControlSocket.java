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

/** A unix socket on which a program is asked: a line asks, lines answer, the connection ends. */
final class ControlSocket implements AutoCloseable {
  private final Answers answers;
  private final ServerSocketChannel server;
  private final Path path;
  private final Consumer<String> log;

  /** What a program says to a line. */
  @FunctionalInterface
  interface Answers {
    /** The answer, of whole lines. */
    String to(String question) throws IOException;
  }

  private ControlSocket(
      Answers answers, ServerSocketChannel server, Path path, Consumer<String> log) {
    this.answers = answers;
    this.server = server;
    this.path = path;
    this.log = log;
  }

  /** Listens, and answers until it is closed. */
  static ControlSocket listen(Path path, Answers answers, Consumer<String> log) {
    StaleSocket.remove(path, "--control-socket takes another one");
    try {
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(path));
      var socket = new ControlSocket(answers, server, path, log);
      Thread.ofPlatform().daemon().name("control").start(socket::serve);
      return socket;
    } catch (IOException e) {
      throw new UsageFault("--control-socket: %s: %s".formatted(path, e.getMessage()));
    }
  }

  private void serve() {
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
    StaleSocket.forget(path);
  }
}
