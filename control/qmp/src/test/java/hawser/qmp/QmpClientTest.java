package hawser.qmp;

import static hawser.qmp.ScriptedServer.GREETING;
import static hawser.qmp.ScriptedServer.arguments;
import static hawser.qmp.ScriptedServer.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.base.json.Json;
import hawser.sys.FileCalls;
import hawser.sys.SocketCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Transcripts of sessions, word for word. */
class QmpClientTest {
  private static final Json.Obj NOTHING = arguments("{}");
  private static final Json.Obj EMPTY = NOTHING;

  private final ScriptedServer server = new ScriptedServer();

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void negotiates() {
    try (QmpClient client = server.client("\"oob\"")) {
      assertThat(client.greeting()).isEqualTo(new QmpGreeting(10, 0, 2, "Debian", List.of("oob")));
    }
  }

  @Test
  void enablesOnlyWhatIsOffered() {
    CompletableFuture<QmpClient> client = server.silent();
    server.send(GREETING.formatted("\"new\", \"oob\", 7"));
    Json.Obj command = server.command("qmp_capabilities");
    assertThat(command.members().get("arguments")).isEqualTo(arguments("{'enable': ['oob']}"));
    server.send("{\"id\": %s, \"return\": {}}".formatted(id(command)));
    client.join().close();
  }

  /** As qemu-storage-daemon 10 did in one of eleven starts to a client that connected at once. */
  @Test
  void aSecondGreetingBeforeCommandModeIsNothing() {
    CompletableFuture<QmpClient> client = server.silent();
    server.send(GREETING.formatted("").repeat(2));
    Json.Obj command = server.command("qmp_capabilities");
    server.send(GREETING.formatted("\"oob\""));
    server.send("{\"id\": %s, \"return\": {}}".formatted(id(command)));
    assertThat(client.join().greeting().capabilities()).isEmpty();
    client.join().close();
  }

  @Test
  void returnsAndRefusalsFindTheirCommand() {
    try (QmpClient client = server.client("")) {
      CompletableFuture<QmpReply> first = client.submit("query-version", NOTHING);
      CompletableFuture<QmpReply> second = client.submit("nonsense", arguments("{'a': [1]}"));
      String one = id(server.command("query-version"));
      Json.Obj nonsense = server.command("nonsense");
      assertThat(nonsense.members().get("arguments")).isEqualTo(arguments("{'a': [1]}"));
      server.send(
          "{\"later\": 1, \"id\": %s, \"error\": {\"class\": \"CommandNotFound\","
              .formatted(id(nonsense)));
      server.send(
          "\r\n    \"desc\": \"no\"}}\r\n{\"return\": [1, \"\\u00e9\"], \"id\": %s}"
              .formatted(one));
      assertThat(second.join()).isEqualTo(new QmpReply.Refused("CommandNotFound", "no"));
      assertThat(first.join().value())
          .isEqualTo(new Json.Arr(List.of(Json.of(1), Json.of("\u00e9"))));
      assertThatThrownBy(() -> second.join().value())
          .isInstanceOf(PeerFault.class)
          .hasMessage("CommandNotFound: no");
    }
  }

  @Test
  void anEventBeforeItsCommandsReturnIsNotMissed() {
    try (QmpClient client = server.client("");
        QmpEvents all = client.listen();
        QmpEvents stops = client.listen("STOP")) {
      CompletableFuture<QmpEvent> awaited =
          CompletableFuture.supplyAsync(
              () -> client.executeAndAwait("cont", EMPTY, event -> event.name().equals("RESUME")),
              Thread::startVirtualThread);
      String id = id(server.command("cont"));
      server.send(
          "{\"event\": \"ODD\", \"data\": {\"x\": 1}, \"timestamp\": {\"seconds\": -1, \"microseconds\": -1}}");
      server.send("{\"timestamp\": {\"seconds\": 5, \"microseconds\": 7}, \"event\": \"RESUME\"}");
      server.send("{\"return\": {}, \"id\": %s}".formatted(id));
      assertThat(awaited.join()).isEqualTo(new QmpEvent("RESUME", EMPTY, 5, 7));
      assertThat(all.next()).isEqualTo(new QmpEvent("ODD", arguments("{'x': 1}"), -1, -1));
      assertThat(all.next().name()).isEqualTo("RESUME");
      assertThat(all.poll()).isEmpty();
      assertThat(stops.poll()).isEmpty();
    }
  }

  @Test
  void anEventBeforeTheGreetingIsKept() {
    CompletableFuture<QmpClient> connecting = server.silent();
    server.send("{\"event\": \"EARLY\"}" + GREETING.formatted(""));
    server.send("{\"return\": {}, \"id\": %s}".formatted(id(server.command("qmp_capabilities"))));
    try (QmpClient client = connecting.join();
        QmpEvents events = client.listen()) {
      assertThat(events.next().name()).isEqualTo("EARLY");
    }
  }

  @Test
  void eightCommandsAreUnderWayAndOneOutOfBandPassesThem() {
    try (QmpClient client = server.client("\"oob\"")) {
      var replies = new ArrayList<CompletableFuture<QmpReply>>();
      var ids = new ArrayList<String>();
      for (int i = 0; i < QmpClient.IN_FLIGHT_MAX; i++) {
        replies.add(client.submit("query-block", NOTHING));
        ids.add(id(server.command("query-block")));
      }
      CompletableFuture<QmpReply> ninth =
          CompletableFuture.supplyAsync(
              () -> client.execute("query-name"), Thread::startVirtualThread);
      assertThat(server.isQuiet()).isTrue();
      CompletableFuture<QmpReply> passing = client.submitOutOfBand("query-yank", NOTHING);
      Json.Obj yank = (Json.Obj) server.next();
      assertThat(yank.members().get("exec-oob")).isEqualTo(Json.of("query-yank"));
      server.send("{\"id\": %s, \"return\": []}".formatted(id(yank)));
      assertThat(passing.join().value()).isEqualTo(new Json.Arr(List.of()));
      server.send("{\"id\": %s, \"return\": {}}".formatted(ids.getFirst()));
      server.send("{\"id\": %s, \"return\": {}}".formatted(id(server.command("query-name"))));
      assertThat(ninth.join().value()).isEqualTo(EMPTY);
      assertThat(replies.getFirst().join().value()).isEqualTo(EMPTY);
      assertThat(replies.getLast()).isNotDone();
    }
  }

  @Test
  void outOfBandIsRefusedWhereItIsNotOffered() {
    try (QmpClient client = server.client("")) {
      assertThatThrownBy(() -> client.submitOutOfBand("yank", NOTHING))
          .isInstanceOf(PeerFault.class)
          .hasMessageContaining("out-of-band");
    }
  }

  @Test
  void descriptorsTravelWithTheirCommand() {
    try (QmpClient client = server.client("")) {
      var pair = new int[2];
      assertThat(SocketCalls.socketPair(pair)).isZero();
      CompletableFuture<QmpReply> reply =
          client.submit("getfd", arguments("{'fdname': 'x'}"), pair[0]);
      server.send("{\"id\": %s, \"return\": {}}".formatted(id(server.command("getfd"))));
      assertThat(server.descriptors).hasSize(1);
      assertThat(reply.join().value()).isEqualTo(EMPTY);
      // The one that was passed is another name of the one that was given.
      FileCalls.close(pair[0]);
      assertThat(SocketCalls.poll(pair[1], SocketCalls.POLLIN, 0)).isZero();
      FileCalls.close(server.descriptors[0]);
      assertThat(SocketCalls.poll(pair[1], SocketCalls.POLLIN, 0)).isEqualTo(1);
      FileCalls.close(pair[1]);
    }
  }

  @Test
  void anErrorWithoutAnIdIsNobodysReply() {
    try (QmpClient client = server.client("")) {
      CompletableFuture<QmpReply> reply = client.submit("stop", NOTHING);
      String id = id(server.command("stop"));
      server.send("{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}");
      server.send("{\"return\": {}, \"id\": %s}".formatted(id));
      assertThat(reply.join().value()).isEqualTo(EMPTY);
      assertThat(client.unaddressed())
          .containsExactly(new QmpReply.Refused("GenericError", "JSON parse error"));
    }
  }

  @Test
  void theEndOfTheConnectionEndsEverything() {
    try (QmpClient client = server.client("\"oob\"");
        QmpEvents events = client.listen()) {
      var replies = new ArrayList<CompletableFuture<QmpReply>>();
      for (int i = 0; i < QmpClient.IN_FLIGHT_MAX; i++) {
        replies.add(client.submit("query-block", NOTHING));
      }
      CompletableFuture<QmpReply> waiting =
          CompletableFuture.supplyAsync(
              () -> client.execute("query-name"), Thread::startVirtualThread);
      server.send("{\"event\": \"STOP\"}{\"return\": {\"half\": ");
      server.hangUp();
      assertThat(replies)
          .allSatisfy(
              reply ->
                  assertThatThrownBy(reply::join)
                      .hasRootCauseMessage("the server ended the connection within a message"));
      assertThatThrownBy(waiting::join).hasCauseInstanceOf(PeerFault.class);
      assertThat(events.next().name()).isEqualTo("STOP");
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(events::next).isInstanceOf(PeerFault.class);
      }
      assertThatThrownBy(() -> client.execute("stop")).isInstanceOf(PeerFault.class);
      assertThatThrownBy(() -> client.listen().next()).isInstanceOf(PeerFault.class);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"return\": {}, \"id\": 77}   | reply to no command: id is 77",
        "{\"return\": {}, \"id\": 1e99} | reply to no command",
        "{\"return\": {}}               | id is missing",
        "{\"error\": 5}                 | neither greeting, return, error nor event",
        "[]                             | neither greeting, return, error nor event: []",
        "{]                             | no JSON",
        "HTTP/1.1 400 Bad Request       | no JSON",
        "{\"QMP\": {}}                  | greets in command mode",
      })
  void aServerThatBreaksTheRulesIsLeft(String said, String why) {
    try (QmpClient client = server.client("")) {
      CompletableFuture<QmpReply> reply = client.submit("stop", NOTHING);
      server.send(said);
      assertThatThrownBy(reply::join)
          .rootCause()
          .isInstanceOf(PeerFault.class)
          .hasMessageContaining(why);
    }
  }

  @Test
  void aListenerWhoTakesNothingIsBounded() {
    try (QmpClient client = server.client("");
        QmpEvents events = client.listen("E")) {
      String many = "{\"event\": \"E\"}".repeat(1 << 7);
      for (int i = 0; i <= QmpEvents.WAITING_MAX; i += 1 << 7) {
        server.send(many);
      }
      CompletableFuture<QmpReply> reply = client.submit("stop", NOTHING);
      server.send("{\"id\": %s, \"return\": {}}".formatted(id(server.command("stop"))));
      assertThat(reply.join().value()).isEqualTo(EMPTY);
      for (int i = 0; i < QmpEvents.WAITING_MAX; i++) {
        assertThat(events.next().name()).isEqualTo("E");
      }
      assertThatThrownBy(events::next).hasMessageContaining("wait to be taken");
    }
  }

  @Test
  void closingEndsWhoWaitsForAGreeting() throws InterruptedException {
    var failed = new CompletableFuture<Throwable>();
    CompletableFuture<QmpClient> silent = server.silent();
    var _ = silent.whenComplete((_, e) -> failed.complete(e));
    server.hangUp();
    assertThat(failed.join()).rootCause().hasMessage("the server ended the connection");
  }
}
