package hawser.qmp;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.sys.FileCalls;
import hawser.sys.MessageHeader;
import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;

/** The other end of a socket pair, on which a test says word for word what the server does. */
final class ScriptedServer implements AutoCloseable {
  static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 0, \"major\": 10},"
          + " \"package\": \"Debian\"}, \"capabilities\": [%s]}}\r\n";

  private final int fd;
  private final int clientFd;
  private final JsonStream commands = new JsonStream();
  private final Deque<Json> waiting = new ArrayDeque<>();
  private final Arena arena = Arena.ofShared();

  /** The descriptors that came with what was read last. */
  int[] descriptors = {};

  ScriptedServer() {
    var pair = new int[2];
    assertThat(SocketCalls.socketPair(pair)).isZero();
    this.fd = pair[0];
    this.clientFd = pair[1];
  }

  /** Greets and lets the client into command mode. */
  QmpClient client(String capabilities) {
    CompletableFuture<QmpClient> client =
        CompletableFuture.supplyAsync(() -> QmpClient.adopt(clientFd), Thread::startVirtualThread);
    send(GREETING.formatted(capabilities));
    String id = id(command("qmp_capabilities"));
    send("{\"return\": {}, \"id\": " + id + "}\r\n");
    return client.join();
  }

  /** The client, before anything was said. */
  CompletableFuture<QmpClient> silent() {
    return CompletableFuture.supplyAsync(
        () -> QmpClient.adopt(clientFd), Thread::startVirtualThread);
  }

  void send(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    long sent = SocketCalls.send(fd, arena.allocateFrom(JAVA_BYTE, bytes));
    assertThat(sent).isEqualTo(bytes.length);
  }

  /** The next command, which must have this name. */
  Json.Obj command(String name) {
    Json.Obj command = (Json.Obj) next();
    assertThat(command.members().get("execute")).as("%s", command).isEqualTo(Json.of(name));
    return command;
  }

  Json next() {
    while (waiting.isEmpty()) {
      var message = new MessageHeader(arena, 1, 4);
      var buffer = arena.allocate(4096);
      message.pieces().add(buffer);
      message.expectDescriptors();
      long count = SocketCalls.receiveMessage(fd, message, 0);
      assertThat(count).isPositive();
      descriptors = message.received();
      for (JsonStream.Item item : commands.feed(buffer.asSlice(0, count).asByteBuffer())) {
        waiting.add(((JsonStream.Item.Value) item).json());
      }
    }
    return waiting.remove();
  }

  /** Whether nothing more has come. */
  boolean isQuiet() {
    return waiting.isEmpty() && SocketCalls.poll(fd, SocketCalls.POLLIN, 50) == 0;
  }

  static String id(Json.Obj command) {
    return ((Json.Num) java.util.Objects.requireNonNull(command.members().get("id")))
        .value()
        .toString();
  }

  static Json.Obj arguments(String text) {
    return (Json.Obj) JsonReader.read(text);
  }

  /** Ends the connection. */
  void hangUp() {
    SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
  }

  @Override
  public void close() {
    FileCalls.close(fd);
    arena.close();
  }
}
