package hawser.qmp;

import hawser.base.PeerFault;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a server sends: unknown members are passed over, and members may come in any order. */
sealed interface QmpMessage {
  /** How much of a message that breaks the rules is shown. */
  int SHOWN_MAX = 200;

  record Greeting(QmpGreeting greeting) implements QmpMessage {}

  /** A reply; the id is null where the server could not read the command's. */
  record Reply(@Nullable Json id, QmpReply reply) implements QmpMessage {}

  record Event(QmpEvent event) implements QmpMessage {}

  /** Reads a value from the stream. */
  static QmpMessage of(Json json) {
    if (json instanceof Json.Obj(var members)) {
      if (members.get("event") instanceof Json.Str(String name)) {
        return new Event(event(name, members));
      }
      if (members.containsKey("return")) {
        return new Reply(members.get("id"), new QmpReply.Returned(members.get("return")));
      }
      if (members.get("error") instanceof Json.Obj(var error)) {
        return new Reply(
            members.get("id"), new QmpReply.Refused(text(error, "class"), text(error, "desc")));
      }
      if (members.get("QMP") instanceof Json.Obj(var greeting)) {
        return new Greeting(greeting(greeting));
      }
    }
    String shown = QemuJson.compact(json);
    throw new PeerFault(
        "neither greeting, return, error nor event: "
            + shown.substring(0, Math.min(shown.length(), SHOWN_MAX)));
  }

  private static QmpEvent event(String name, Map<String, Json> members) {
    Map<String, Json> at =
        members.get("timestamp") instanceof Json.Obj(var stamp) ? stamp : Map.of();
    Json.Obj data =
        members.get("data") instanceof Json.Obj object ? object : new Json.Obj(Map.of());
    return new QmpEvent(name, data, number(at, "seconds"), number(at, "microseconds"));
  }

  private static QmpGreeting greeting(Map<String, Json> members) {
    Map<String, Json> version =
        members.get("version") instanceof Json.Obj(var object) ? object : Map.of();
    Map<String, Json> qemu =
        version.get("qemu") instanceof Json.Obj(var object) ? object : Map.of();
    var capabilities = new ArrayList<String>();
    if (members.get("capabilities") instanceof Json.Arr(List<Json> items)) {
      for (Json item : items) {
        if (item instanceof Json.Str(String capability)) {
          capabilities.add(capability);
        }
      }
    }
    return new QmpGreeting(
        (int) number(qemu, "major"),
        (int) number(qemu, "minor"),
        (int) number(qemu, "micro"),
        text(version, "package"),
        capabilities);
  }

  private static long number(Map<String, Json> members, String name) {
    return members.get(name) instanceof Json.Num(BigDecimal value)
            && value.abs().compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0
        ? value.longValue()
        : -1;
  }

  private static String text(Map<String, Json> members, String name) {
    return members.get(name) instanceof Json.Str(String value) ? value : "";
  }
}
