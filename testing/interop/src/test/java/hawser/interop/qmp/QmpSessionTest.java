package hawser.interop.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.qmp.QmpClient;
import hawser.qmp.QmpEvents;
import hawser.qmp.QmpReply;
import hawser.sys.FileCalls;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our client and QEMU's servers. */
class QmpSessionTest {
  /** Who is at the other end. */
  enum Server {
    MACHINE,
    STORAGE_DAEMON;

    Peer start(Path socket) {
      List<String> command =
          switch (this) {
            case MACHINE ->
                ("qemu-system-x86_64 -nodefaults -display none -accel tcg -S"
                        + " -qmp unix:%s,server=on,wait=off")
                    .formatted(socket)
                    .transform(line -> List.of(line.split(" ", -1)));
            case STORAGE_DAEMON ->
                ("qemu-storage-daemon --chardev socket,id=c,path=%s,server=on,wait=off"
                        + " --monitor c --pidfile %s")
                    .formatted(socket, started(socket))
                    .transform(line -> List.of(line.split(" ", -1)));
          };
      Peers.requires(command.getFirst());
      Peer peer = Peers.start(command).awaitSocket(socket);
      if (this == STORAGE_DAEMON) {
        // A client that connects before may be greeted twice, or see it crash.
        peer.await("started", () -> Files.exists(started(socket)));
      }
      return peer;
    }

    private static Path started(Path socket) {
      return socket.resolveSibling("pid");
    }
  }

  @TempDir Path folder;

  private static Json.Obj json(String text) {
    return (Json.Obj) JsonReader.read(text);
  }

  private Path socket() {
    return folder.resolve("qmp.sock");
  }

  @ParameterizedTest
  @EnumSource
  void commandsErrorsAndTheEnd(Server server) throws Exception {
    try (Peer peer = server.start(socket())) {
      try (QmpClient client = QmpClient.connect(socket());
          QmpEvents events = client.listen()) {
        assertThat(client.greeting().major()).isGreaterThanOrEqualTo(10);
        assertThat(client.greeting().capabilities()).containsExactly("oob");
        assertThat(client.execute("query-version").value()).isInstanceOf(Json.Obj.class);
        assertThat(((Json.Arr) client.execute("query-qmp-schema").value()).items())
            .hasSizeGreaterThan(400);
        assertThat(client.execute("no-such-command"))
            .isInstanceOfSatisfying(
                QmpReply.Refused.class,
                refused -> assertThat(refused.errorClass()).isEqualTo("CommandNotFound"));
        assertThat(client.execute("object-add", json("{'qom-type': 'none', 'id': 'x'}")))
            .isInstanceOfSatisfying(
                QmpReply.Refused.class,
                refused -> assertThat(refused.errorClass()).isEqualTo("GenericError"));
        assertThat(client.execute("qmp_capabilities"))
            .isInstanceOfSatisfying(
                QmpReply.Refused.class,
                refused -> assertThat(refused.errorClass()).isEqualTo("CommandNotFound"));
        QmpReply quit = client.execute("quit");
        assertThat(quit.value()).isEqualTo(json("{}"));
        if (server == Server.MACHINE) {
          // It was there before the reply.
          assertThat(events.poll())
              .hasValueSatisfying(e -> assertThat(e.name()).isEqualTo("SHUTDOWN"));
        }
        assertThatThrownBy(events::next).hasMessage("the server ended the connection");
      }
      assertThat(peer.await()).isZero();
    }
  }

  @Test
  void eventsComeBeforeTheReturnOfTheirCommand() throws Exception {
    try (Peer _ = Server.MACHINE.start(socket());
        QmpClient client = QmpClient.connect(socket());
        QmpEvents events = client.listen()) {
      for (String[] pair :
          new String[][] {{"cont", "RESUME"}, {"stop", "STOP"}, {"cont", "RESUME"}}) {
        assertThat(client.execute(pair[0]).value()).isEqualTo(json("{}"));
        assertThat(events.poll()).hasValueSatisfying(e -> assertThat(e.name()).isEqualTo(pair[1]));
      }
      assertThat(client.executeAndAwait("stop", json("{}"), e -> e.name().equals("STOP")).seconds())
          .isPositive();
    }
  }

  @Test
  void manyCommandsUnderWayKeepTheirOrder() throws Exception {
    try (Peer _ = Server.MACHINE.start(socket());
        QmpClient client = QmpClient.connect(socket())) {
      var replies = new ArrayList<CompletableFuture<QmpReply>>();
      for (int i = 0; i < 500; i++) {
        replies.add(
            client.submit(
                "human-monitor-command", json("{'command-line': 'print %d'}".formatted(i))));
      }
      for (int i = 1; i < 500; i++) {
        assertThat(replies.get(i).join().value()).isEqualTo(Json.of("%#x\r\n".formatted(i)));
      }
      assertThat(client.submitOutOfBand("query-yank", json("{}")).join().value())
          .isInstanceOf(Json.Arr.class);
    }
  }

  @Test
  void aPassedDescriptorIsADisk() throws Exception {
    Path disk = Files.write(folder.resolve("disk"), new byte[3 << 20]);
    try (Peer _ = Server.MACHINE.start(socket());
        QmpClient client = QmpClient.connect(socket())) {
      int fd = (int) FileCalls.open(disk.toString(), FileCalls.O_RDONLY, 0);
      try {
        Json added = client.execute("add-fd", json("{'fdset-id': 3}"), fd).value();
        assertThat(((Json.Obj) added).members().get("fdset-id")).isEqualTo(Json.of(3));
      } finally {
        FileCalls.close(fd);
      }
      Files.delete(disk);
      Json.Obj node =
          json(
              "{'driver': 'file', 'node-name': 'd', 'read-only': true, 'filename': '/dev/fdset/3'}");
      assertThat(client.execute("blockdev-add", node).value()).isEqualTo(json("{}"));
      assertThat(client.execute("query-named-block-nodes").value().toString())
          .contains("virtual-size=Num[value=" + (3 << 20));
    }
  }

  @Test
  void aKilledServerEndsWhatIsUnderWay() throws Exception {
    try (Peer peer = Server.MACHINE.start(socket());
        QmpClient client = QmpClient.connect(socket());
        QmpEvents events = client.listen()) {
      var replies = new ArrayList<CompletableFuture<QmpReply>>();
      for (int i = 0; i < QmpClient.IN_FLIGHT_MAX; i++) {
        replies.add(client.submit("query-qmp-schema", json("{}")));
      }
      assertThat(replies.getFirst().join().value()).isInstanceOf(Json.Arr.class);
      peer.kill();
      assertThatThrownBy(events::next).isInstanceOf(PeerFault.class);
      assertThat(replies).allMatch(CompletableFuture::isDone);
      assertThatThrownBy(() -> client.execute("stop")).isInstanceOf(PeerFault.class);
    }
  }

  @Test
  void theSecondClientIsGreetedWhenTheFirstHasLeft() throws Exception {
    try (Peer _ = Server.MACHINE.start(socket())) {
      CompletableFuture<QmpClient> second;
      try (QmpClient first = QmpClient.connect(socket())) {
        second =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return QmpClient.connect(socket());
                  } catch (hawser.base.BlockFault e) {
                    throw new AssertionError(e);
                  }
                },
                Thread::startVirtualThread);
        assertThat(first.execute("query-status").value()).isInstanceOf(Json.Obj.class);
        assertThat(second).isNotDone();
      }
      try (QmpClient client = second.join()) {
        assertThat(client.execute("query-status").value()).isInstanceOf(Json.Obj.class);
      }
    }
  }
}
