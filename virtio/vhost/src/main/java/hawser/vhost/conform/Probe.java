package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.message.MessageLimits;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** What a back-end says of itself, as lines of text. No ring is started. */
public final class Probe {
  private static final Map<Integer, String> RESERVED =
      Map.ofEntries(
          Map.entry(24, "NOTIFY_ON_EMPTY"),
          Map.entry(26, "LOG_ALL"),
          Map.entry(27, "ANY_LAYOUT"),
          Map.entry(28, "INDIRECT_DESC"),
          Map.entry(29, "EVENT_IDX"),
          Map.entry(30, "PROTOCOL_FEATURES"),
          Map.entry(32, "VERSION_1"),
          Map.entry(33, "ACCESS_PLATFORM"),
          Map.entry(34, "RING_PACKED"),
          Map.entry(35, "IN_ORDER"),
          Map.entry(36, "ORDER_PLATFORM"),
          Map.entry(37, "SR_IOV"),
          Map.entry(38, "NOTIFICATION_DATA"),
          Map.entry(39, "NOTIF_CONFIG_DATA"),
          Map.entry(40, "RING_RESET"));

  /** What is asked for of the configuration, the last being what every device has. */
  private static final int[] LENGTHS = {MessageLimits.CONFIG_BYTES_MAX, 60, 8};

  private Probe() {}

  /** Asks a back-end on a connection of its own. */
  public static List<String> lines(FrontEnd frontEnd) {
    var lines = new ArrayList<String>();
    long features = frontEnd.getFeatures();
    lines.add("features: %#x".formatted(features));
    lines.add("  " + String.join(" ", virtioNames(features)));
    if ((features & VirtioFeature.PROTOCOL_FEATURES) == 0) {
      return lines;
    }
    long protocol = frontEnd.getProtocolFeatures();
    lines.add("protocol features: %#x".formatted(protocol));
    lines.add("  " + String.join(" ", protocolNames(protocol)));
    frontEnd.setProtocolFeatures(protocol & DriverPlan.PROTOCOL_ALL);
    frontEnd.setOwner();
    if (ProtocolFeature.MQ.in(protocol)) {
      lines.add("queues: " + frontEnd.getQueueNum());
    }
    if (ProtocolFeature.CONFIGURE_MEM_SLOTS.in(protocol)) {
      lines.add("memory slots: " + frontEnd.getMaxMemSlots());
    }
    if (ProtocolFeature.CONFIG.in(protocol)) {
      lines.add("configuration: " + HexFormat.of().formatHex(configuration(frontEnd)));
    }
    return lines;
  }

  /** As much of it as the back-end knows: some refuse to be asked for more. */
  private static byte[] configuration(FrontEnd frontEnd) {
    for (int bytes : LENGTHS) {
      try {
        return trimmed(frontEnd.getConfig(0, bytes), LENGTHS[LENGTHS.length - 1]);
      } catch (PeerFault refused) {
        // The next is shorter; the last fault is the caller's.
        if (bytes == LENGTHS[LENGTHS.length - 1]) {
          throw refused;
        }
      }
    }
    throw new AssertionError("there is a shortest length");
  }

  private static byte[] trimmed(byte[] config, int least) {
    int length = config.length;
    while (length > least && config[length - 1] == 0) {
      length--;
    }
    return java.util.Arrays.copyOf(config, length);
  }

  private static List<String> virtioNames(long features) {
    var names = new ArrayList<String>();
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((features >>> bit & 1) != 0) {
        String of = bit < 24 ? "device-" + bit : "bit-" + bit;
        names.add(RESERVED.getOrDefault(bit, of));
      }
    }
    return names;
  }

  private static List<String> protocolNames(long features) {
    var names = new ArrayList<String>();
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((features >>> bit & 1) != 0) {
        ProtocolFeature[] known = ProtocolFeature.values();
        names.add(bit < known.length ? known[bit].name() : "bit-" + bit);
      }
    }
    return names;
  }

  /** The same for a subject. */
  public static List<String> lines(Subject subject) throws BlockFault {
    try (FrontEnd frontEnd = subject.connect()) {
      return lines(frontEnd);
    }
  }
}
