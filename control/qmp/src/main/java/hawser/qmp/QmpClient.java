package hawser.qmp;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.ThreadEnd;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A QMP session with QEMU or its storage daemon, in command mode from the start. When the
 * connection ends, every command under way and every listener end at once with a {@link PeerFault}.
 * Safe from any thread; one thread of its own receives (qmp-spec).
 */
public final class QmpClient implements AutoCloseable {
  /** The most in-band commands under way with out-of-band ones enabled: the server's queue. */
  public static final int IN_FLIGHT_MAX = 8;

  /** The most events kept that came before anybody listened. */
  private static final int EARLY_EVENTS_MAX = 1024;

  /** The id of the first command, {@code qmp_capabilities}. */
  private static final long NEGOTIATION = 1;

  private final QmpSocket socket;
  private final CompletableFuture<QmpGreeting> greeting = new CompletableFuture<>();
  private final Thread receiver;
  private final boolean outOfBand;
  private final Semaphore inBand;

  /** Guards what follows. */
  private final Object state = new Object();

  private final Map<Long, CompletableFuture<QmpReply>> underWay = new LinkedHashMap<>();
  private final List<QmpEvents> listeners = new ArrayList<>();
  private final List<QmpEvent> early = new ArrayList<>();
  private final List<QmpReply> unaddressed = new ArrayList<>();
  private boolean listened;
  private long lastId;
  private @Nullable PeerFault lost;

  /** Keeps the numbers of commands in the order in which they are sent. */
  private final Object sending = new Object();

  private QmpClient(int fd) {
    this.socket = new QmpSocket(fd);
    this.receiver = Thread.ofPlatform().daemon().name("qmp").start(this::receive);
    try {
      this.outOfBand = awaited(greeting).capabilities().contains("oob");
      this.inBand = new Semaphore(IN_FLIGHT_MAX);
      Map<String, Json> wanted =
          outOfBand ? Map.of("enable", new Json.Arr(List.of(Json.of("oob")))) : Map.of();
      awaited(send("execute", "qmp_capabilities", new Json.Obj(wanted))).value();
    } catch (PeerFault e) {
      close();
      throw e;
    }
  }

  /**
   * Connects to a server's unix socket, waits for its greeting and enters command mode. A server
   * that has another client greets only when that has left.
   *
   * @throws BlockFault when nobody listens there
   * @throws PeerFault when the server is none of QMP
   */
  public static QmpClient connect(Path path) throws BlockFault {
    var address = new SocketAddress.Unix(path.toString());
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    long result = SocketCalls.connect(fd, address);
    if (Result.failed(result)) {
      FileCalls.close(fd);
      Result.orFault(result, "cannot connect to " + path);
    }
    return adopt(fd);
  }

  /**
   * Takes over a connected socket, also when this fails.
   *
   * @throws PeerFault when the server is none of QMP
   */
  public static QmpClient adopt(int fd) {
    return new QmpClient(fd);
  }

  /** What the server said of itself. */
  public QmpGreeting greeting() {
    return greeting.join();
  }

  /** Runs a command without arguments. */
  public QmpReply execute(String command) {
    return execute(command, new Json.Obj(Map.of()));
  }

  /**
   * Runs a command and waits for its reply.
   *
   * @param descriptors sent with it, for {@code getfd}, {@code add-fd} and {@code add_client}; they
   *     stay the caller's
   * @throws PeerFault when the connection ends before the reply
   */
  public QmpReply execute(String command, Json.Obj arguments, int... descriptors) {
    return awaited(submit(command, arguments, descriptors));
  }

  /**
   * Sends a command, waiting only while {@link #IN_FLIGHT_MAX} others are under way. The future
   * completes on the receiving thread: what depends on it must not wait there for another reply.
   */
  public CompletableFuture<QmpReply> submit(
      String command, Json.Obj arguments, int... descriptors) {
    try {
      inBand.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeerFault("interrupted while waiting to send a command", e);
    }
    CompletableFuture<QmpReply> reply = send("execute", command, arguments, descriptors);
    var _ = reply.whenComplete((_, _) -> inBand.release());
    return reply;
  }

  /**
   * Sends a command past those that wait, where the server offers that and the command allows it:
   * {@code migrate-pause}, {@code migrate-recover}, {@code yank}, {@code query-yank}.
   *
   * @throws PeerFault when the server has no out-of-band commands
   */
  public CompletableFuture<QmpReply> submitOutOfBand(String command, Json.Obj arguments) {
    if (!outOfBand) {
      throw new PeerFault(command + ": the server offers no out-of-band commands");
    }
    return send("exec-oob", command, arguments);
  }

  /**
   * Runs a command and waits for an event that it causes, which may come before its reply.
   *
   * @throws PeerFault when the command is refused, or the connection ends before both
   */
  public QmpEvent executeAndAwait(String command, Json.Obj arguments, Predicate<QmpEvent> wanted) {
    try (QmpEvents events = listen()) {
      Json _ = execute(command, arguments).value();
      return events.await(wanted);
    }
  }

  /** Collects events of these names from now on, or all events. */
  public QmpEvents listen(String... names) {
    var events = new QmpEvents(List.of(names), this::forget);
    synchronized (state) {
      if (!listened) {
        listened = true;
        early.forEach(events::offer);
        early.clear();
      }
      if (lost == null) {
        listeners.add(events);
      } else {
        events.end(lost);
      }
    }
    return events;
  }

  private void forget(QmpEvents events) {
    synchronized (state) {
      listeners.remove(events);
    }
  }

  /** Errors that name no command: about text that the server could not read. */
  public List<QmpReply> unaddressed() {
    synchronized (state) {
      return List.copyOf(unaddressed);
    }
  }

  private CompletableFuture<QmpReply> send(
      String verb, String command, Json.Obj arguments, int... descriptors) {
    var reply = new CompletableFuture<QmpReply>();
    synchronized (sending) {
      long id;
      synchronized (state) {
        if (lost != null) {
          reply.completeExceptionally(lost);
          return reply;
        }
        id = ++lastId;
        underWay.put(id, reply);
      }
      var members = new LinkedHashMap<String, Json>();
      members.put(verb, Json.of(command));
      members.put("arguments", arguments);
      members.put("id", Json.of(id));
      try {
        socket.send(QemuJson.compact(new Json.Obj(members)) + "\n", descriptors);
      } catch (PeerFault e) {
        // The receiving thread sees the same end; whoever is first tells the reason.
        end(e);
      }
    }
    return reply;
  }

  private static <T> T awaited(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeerFault("interrupted while waiting for a reply", e);
    } catch (ExecutionException e) {
      Throwable reason = Objects.requireNonNull(e.getCause());
      throw new PeerFault(String.valueOf(reason.getMessage()), reason);
    }
  }

  private void receive() {
    var stream = new JsonStream();
    try {
      Optional<ByteBuffer> bytes = socket.receive();
      while (bytes.isPresent()) {
        for (JsonStream.Item item : stream.feed(bytes.get())) {
          switch (item) {
            case JsonStream.Item.Value(Json json) -> handle(QmpMessage.of(json));
            case JsonStream.Item.Broken(String reason) ->
                throw new PeerFault("the server sent what is no JSON: " + reason);
          }
        }
        bytes = socket.receive();
      }
      end(
          new PeerFault(
              stream.isInsideValue()
                  ? "the server ended the connection within a message"
                  : "the server ended the connection"));
    } catch (PeerFault e) {
      end(e);
    } finally {
      end(new PeerFault("the receiving thread failed"));
      socket.close();
    }
  }

  private void handle(QmpMessage message) {
    switch (message) {
      case QmpMessage.Greeting(QmpGreeting said) -> greeted(said);
      case QmpMessage.Event(QmpEvent event) -> happened(event);
      case QmpMessage.Reply(Json id, QmpReply reply) -> replied(id, reply);
    }
  }

  /** A server that is reached while it starts greets twice: qemu-storage-daemon 10 often does. */
  private void greeted(QmpGreeting said) {
    synchronized (state) {
      boolean negotiating = lastId == 0 || underWay.containsKey(NEGOTIATION);
      if (!negotiating) {
        throw new PeerFault("the server greets in command mode");
      }
    }
    greeting.complete(said);
  }

  private void happened(QmpEvent event) {
    synchronized (state) {
      if (!listened && early.size() < EARLY_EVENTS_MAX) {
        early.add(event);
      }
      listeners.forEach(events -> events.offer(event));
    }
  }

  private void replied(@Nullable Json id, QmpReply reply) {
    CompletableFuture<QmpReply> waits;
    synchronized (state) {
      if (id == null && reply instanceof QmpReply.Refused) {
        if (unaddressed.size() < EARLY_EVENTS_MAX) {
          unaddressed.add(reply);
        }
        return;
      }
      waits = id instanceof Json.Num(var number) ? removed(number) : null;
    }
    if (waits == null) {
      throw new PeerFault(
          "reply to no command: id is " + (id == null ? "missing" : QemuJson.compact(id)));
    }
    waits.complete(reply);
  }

  private @Nullable CompletableFuture<QmpReply> removed(BigDecimal id) {
    return id.scale() == 0 && id.precision() < Long.BYTES * 2
        ? underWay.remove(id.longValue())
        : null;
  }

  /** The first reason of several is what everybody hears. */
  private void end(PeerFault reason) {
    List<CompletableFuture<QmpReply>> left;
    List<QmpEvents> deaf;
    synchronized (state) {
      if (lost != null) {
        return;
      }
      lost = reason;
      left = List.copyOf(underWay.values());
      deaf = List.copyOf(listeners);
      underWay.clear();
      listeners.clear();
    }
    socket.shutdown();
    greeting.completeExceptionally(reason);
    left.forEach(reply -> reply.completeExceptionally(reason));
    deaf.forEach(events -> events.end(reason));
  }

  /** Ends the session; the server goes on. */
  @Override
  public void close() {
    end(new PeerFault("the session is closed"));
    if (Thread.currentThread() != receiver) {
      ThreadEnd.await(receiver);
    }
  }
}
