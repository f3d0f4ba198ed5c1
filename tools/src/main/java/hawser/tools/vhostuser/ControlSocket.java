package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.fs.passthrough.PassThrough;
import hawser.fs.passthrough.Survey;
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
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions about a shared folder on a unix socket: a line asks, lines answer, and the
 * connection ends. {@code preflight} asks what would not survive a migration now, {@code progress}
 * how far one is, {@code metrics} the same as numbers for Prometheus.
 */
final class ControlSocket implements AutoCloseable {
  private final PassThrough files;
  private final ServerSocketChannel server;
  private final Path path;
  private final Consumer<String> log;

  private ControlSocket(
      PassThrough files, ServerSocketChannel server, Path path, Consumer<String> log) {
    this.files = files;
    this.server = server;
    this.path = path;
    this.log = log;
  }

  /** Listens, and answers until it is closed. */
  static ControlSocket listen(Path path, PassThrough files, Consumer<String> log) {
    StaleSocket.remove(path, "--control-socket takes another one");
    try {
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(path));
      var socket = new ControlSocket(files, server, path, log);
      Thread.ofPlatform().daemon().name("fs-control").start(socket::serve);
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
        client.write(StandardCharsets.UTF_8.encode(answer(question)));
      } catch (IOException e) {
        if (server.isOpen()) {
          log.accept("control socket: " + e.getMessage());
        }
      }
    }
  }

  private String answer(@Nullable String question) throws IOException {
    return switch (question) {
      case "preflight" -> preflight();
      case "progress" -> files.progress().now() + "\n";
      case "metrics" -> FsMetrics.text(files.progress().now());
      case null, default ->
          "unknown: '%s' is not preflight, progress or metrics\n".formatted(question);
    };
  }

  private String preflight() throws IOException {
    Survey survey = files.survey();
    var answer = new StringBuilder(survey.obstacles().isEmpty() ? "ready" : "not ready");
    answer.append(
        ": %d inodes, %d open files, %d locks; %d bytes and %d of content; prepared in %d ms\n"
            .formatted(
                survey.inodes(),
                survey.files(),
                survey.locks(),
                survey.stateBytes(),
                survey.contentBytes(),
                TimeUnit.NANOSECONDS.toMillis(survey.nanos())));
    survey.obstacles().forEach(obstacle -> answer.append(obstacle).append('\n'));
    return answer.toString();
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
