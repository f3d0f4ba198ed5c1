package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.tools.Getopt;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code reopen}: the session's disk with other options. */
final class Reopening {
  private static final Json.Obj NOTHING = new Json.Obj(new LinkedHashMap<>());

  private Reopening() {}

  static boolean run(IoSession session, Words words) throws BlockFault {
    Getopt line = words.options("c:o:rw");
    OpenRequest before = session.disk().request();
    OpenMode mode = before.mode();
    boolean writethrough = before.writethrough();
    boolean cached = false;
    @Nullable Boolean writable = null;
    Json.Obj changes = new Json.Obj(new LinkedHashMap<>());
    while (line.next()) {
      switch (line.key()) {
        case "c" -> {
          Optional<OpenMode.Cache> cache = OpenMode.Cache.named(line.value());
          if (cache.isEmpty()) {
            session.error("Invalid cache option: " + line.value());
            return false;
          }
          cached = true;
          writethrough = cache.get().writethrough();
          mode = mode.withCache(OpenFlags.withoutWritethrough(cache.get()));
        }
        case "o" -> changes = OpenFlags.parsed(line.value());
        default -> {
          if (writable != null) {
            session.error("Only one -r/-w option may be given");
            return false;
          }
          writable = line.key().equals("w");
        }
      }
    }
    if (!line.operands().isEmpty()) {
      return words.usage();
    }
    if (writable != null && changes.members().containsKey("read-only")) {
      session.error("Cannot set both -r/-w and 'read-only'");
      return false;
    }
    if (cached && changes.members().containsKey("cache")) {
      session.error("Cannot set both -c and the cache options");
      return false;
    }
    if (writable != null) {
      mode = mode.withWritable(writable);
    }
    BlockNode node = session.node();
    refuseOther(node, before.options(), changes);
    Options options =
        session.driver(node).joined(new Options(before.options()), new Options(changes));
    return swap(session, before, before.with(options.tree(), mode, writethrough));
  }

  /** What a node is and is called stays, also further down. */
  private static void refuseOther(BlockNode node, Json.Obj before, Json.Obj changes)
      throws BlockFault {
    Json driver = changes.members().get("driver");
    if (driver != null && !driver.equals(Json.of(node.driver()))) {
      throw new BlockFault(Errno.EINVAL, "Cannot change the option 'driver'");
    }
    Json name = changes.members().get("node-name");
    if (name != null && !name.equals(before.members().get("node-name"))) {
      throw new BlockFault(Errno.EINVAL, "Cannot change the option 'node-name'");
    }
    for (String child : List.of("file", "backing")) {
      BlockNode below = child.equals("file") ? file(node) : node.backing();
      if (below != null && changes.members().get(child) instanceof Json.Obj further) {
        Json.Obj earlier = before.members().get(child) instanceof Json.Obj was ? was : NOTHING;
        refuseOther(below, earlier, further);
      }
    }
  }

  private static @Nullable BlockNode file(BlockNode node) {
    return node.children().isEmpty() ? null : node.children().getFirst();
  }

  /** The new opening may clash with the old one's locks, so that one goes first. */
  private static boolean swap(IoSession session, OpenRequest before, OpenRequest after)
      throws BlockFault {
    session.close();
    try {
      session.open(after);
      return true;
    } catch (BlockFault e) {
      session.open(before);
      throw e;
    }
  }
}
