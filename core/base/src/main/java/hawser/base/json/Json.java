package hawser.base.json;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/**
 * A JSON value. Objects keep the order in which their members were put; {@link QemuJson} prints
 * them in QEMU's.
 */
public sealed interface Json {
  /** {@code null}. */
  record Null() implements Json {}

  /** {@code true} or {@code false}. */
  record Bool(boolean value) implements Json {}

  /** A number; integers of any size QEMU uses fit exactly. */
  record Num(BigDecimal value) implements Json {}

  /** A string. */
  record Str(String value) implements Json {}

  /** An array. */
  record Arr(List<Json> items) implements Json {
    /** Copies the list. */
    public Arr {
      items = List.copyOf(items);
    }
  }

  /** An object. The map is kept as it is, so that its order survives; do not change it later. */
  record Obj(Map<String, Json> members) implements Json {}

  /** A signed integer. */
  static Json of(long value) {
    return new Num(BigDecimal.valueOf(value));
  }

  /** A string. */
  static Json of(String value) {
    return new Str(value);
  }

  /** A truth value. */
  static Json of(boolean value) {
    return new Bool(value);
  }
}
