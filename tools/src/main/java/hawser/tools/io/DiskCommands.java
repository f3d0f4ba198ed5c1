package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.NodeInfo;
import hawser.block.Permissions;
import hawser.block.Preallocation;
import hawser.tools.Getopt;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Commands on the disk as a whole: length, map, allocation, information, growing, flushing. */
final class DiskCommands {
  private static final int SECTOR_BYTES = 512;

  private DiskCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
                "alloc",
                "offset [count]",
                "checks if offset is allocated in the file",
                1,
                2,
                DiskCommands::allocated)
            .called("a"),
        IoCommand.of(
                "flush",
                null,
                "flush all in-core file state to disk",
                0,
                0,
                (session, words) -> {
                  session.node().flush();
                  return true;
                })
            .called("f"),
        IoCommand.of(
                "info", null, "prints information about the current file", 0, 0, DiskCommands::info)
            .called("i"),
        IoCommand.of(
                "length",
                null,
                "gets the length of the current file",
                0,
                0,
                (session, words) -> {
                  session.io().line(Report.size(session.node().length()));
                  return true;
                })
            .called("l"),
        IoCommand.of("map", "", "prints the allocated areas of a file", 0, 0, DiskCommands::map),
        IoCommand.of(
                "truncate",
                "[-m prealloc_mode] off",
                "truncates the current file at the given offset",
                1,
                3,
                DiskCommands::truncate)
            .called("t"));
  }

  private static boolean info(IoSession session, Words words) throws BlockFault {
    BlockNode node = session.node();
    session.io().line("format name: " + node.driver());
    if (!session.driver(node).format()) {
      session.io().line("format name: " + node.driver());
    }
    if (silent(node)) {
      return false;
    }
    NodeInfo info = session.node().info();
    long cluster = info.clusterSize().orElse(0);
    session.io().line("cluster size: " + Report.size(cluster));
    session.io().line("vm state offset: " + Report.size(vmStateOffset(cluster, session)));
    if (info.specific() != null && !session.node().children().isEmpty() && cluster > 0) {
      session.io().print(SpecificInfo.text(info.specific()));
    }
    return true;
  }

  /** Whether it is a disk of which QEMU has nothing to tell, or lies in nothing but one. */
  private static boolean silent(BlockNode node) {
    return switch (node.driver()) {
      case "null-co", "null-aio", "nbd" -> true;
      case "raw" -> node.children().stream().anyMatch(DiskCommands::silent);
      default -> false;
    };
  }

  /**
   * A qcow2 image keeps a saved machine behind the disk, where the next L1 entry begins; each entry
   * of an L2 table takes 8 bytes.
   */
  private static long vmStateOffset(long cluster, IoSession session) throws BlockFault {
    if (cluster == 0) {
      return 0;
    }
    long perEntry = cluster * (cluster / 8);
    return (session.node().length() + perEntry - 1) / perEntry * perEntry;
  }

  private static boolean allocated(IoSession session, Words words) throws BlockFault {
    OptionalLong start = words.number(words.get(0));
    OptionalLong count =
        start.isEmpty() || words.count() == 1
            ? OptionalLong.of(SECTOR_BYTES)
            : words.number(words.get(1));
    if (start.isEmpty() || count.isEmpty()) {
      return false;
    }
    long size = session.node().length();
    long at = start.getAsLong();
    long end = Math.min(size, at + count.getAsLong());
    long sum = 0;
    while (at < end) {
      Extent extent = session.node().extent(at, end - at);
      sum += inFile(extent) ? extent.length() : 0;
      at = extent.end();
    }
    long seen = Math.max(0, end - start.getAsLong());
    session
        .io()
        .line(
            "%d/%d bytes allocated at offset %s"
                .formatted(sum, seen, Report.size(start.getAsLong())));
    return true;
  }

  private static boolean inFile(Extent extent) {
    return extent.depth() == 0 && extent.kind().allocated();
  }

  private static boolean map(IoSession session, Words words) throws BlockFault {
    long size = session.node().length();
    long at = 0;
    while (at < size) {
      Extent first = session.node().extent(at, size - at);
      long end = first.end();
      while (end < size) {
        Extent next = session.node().extent(end, size - end);
        if (inFile(next) != inFile(first)) {
          break;
        }
        end = next.end();
      }
      session
          .io()
          .line(
              "%s (0x%x) bytes %s at offset %s (0x%x)"
                  .formatted(
                      Report.size(end - at),
                      end - at,
                      inFile(first) ? "    allocated" : "not allocated",
                      Report.size(at),
                      at));
      at = end;
    }
    return true;
  }

  private static boolean truncate(IoSession session, Words words) throws BlockFault {
    session.checkWritable();
    session.claim(Permissions.WRITE | Permissions.RESIZE);
    Getopt line = words.options("m:");
    Optional<Preallocation> mode = Optional.of(Preallocation.OFF);
    while (line.next()) {
      mode = Preallocation.named(line.value());
      if (mode.isEmpty()) {
        session.error("Invalid preallocation mode '" + line.value() + "'");
        return false;
      }
    }
    if (line.operands().isEmpty()) {
      return words.usage();
    }
    OptionalLong length = words.number(line.operands().getFirst());
    if (length.isEmpty()) {
      return false;
    }
    session.node().resize(length.getAsLong(), mode.get());
    return true;
  }
}
