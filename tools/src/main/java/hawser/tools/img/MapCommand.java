package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.OpenMode;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code map}: says where each range of an image is stored. */
final class MapCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "map",
          "Say where each range of an image is stored",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.value('s', "start-offset", "OFFSET", "the first byte of interest"),
              Option.value('l', "max-length", "LENGTH", "how many bytes are of interest"),
              CommonOptions.OUTPUT,
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT));

  private long start;
  private long most = Long.MAX_VALUE;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "s" -> start = Numbers.size("start offset", line.value());
        case "l" -> most = Numbers.size("max length", line.value());
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    String name = line.operand("Expecting one image file name");
    try (BlockNode node = Images.open(line, name, OpenMode.READ)) {
      MapPrinter printer = line.json() ? new MapJson(line.io()) : new MapHuman(line.io());
      walk(node, printer);
    }
    return 0;
  }

  private void walk(BlockNode node, MapPrinter printer) throws BlockFault {
    long length = node.length();
    long end = most > length - Math.min(start, length) ? length : start + most;
    printer.begin();
    MapEntry current = MapEntry.nothing(start);
    while (current.end() < end) {
      MapEntry next = next(node, current.end(), end);
      if (current.continuedBy(next)) {
        current = current.longer(next.length());
        continue;
      }
      if (current.length() > 0) {
        next = printer.print(current, next);
      }
      current = next;
    }
    printer.print(current, null);
    printer.finish();
  }

  private static MapEntry next(BlockNode node, long at, long end) throws BlockFault {
    try {
      return MapEntry.of(node.extent(at, end - at));
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(), "Could not read file metadata: " + fault.errno().text(), fault);
    }
  }

  /** How entries are shown. */
  interface MapPrinter {
    void begin();

    /** Prints an entry whose successor is {@code next}; the successor, maybe simplified. */
    MapEntry print(MapEntry entry, @Nullable MapEntry next) throws BlockFault;

    void finish();
  }

  /** One line of the map. */
  record MapEntry(
      long start,
      long length,
      int depth,
      boolean present,
      boolean zero,
      boolean data,
      boolean compressed,
      long offset,
      @Nullable String file) {

    static MapEntry nothing(long start) {
      return new MapEntry(start, 0, 0, false, false, false, false, Extent.NOWHERE, null);
    }

    static MapEntry of(Extent extent) {
      Extent.Kind kind = extent.kind();
      BlockNode host = extent.host();
      boolean placed = host != null && extent.hostOffset() != Extent.NOWHERE;
      return new MapEntry(
          extent.offset(),
          extent.length(),
          extent.depth(),
          kind.allocated(),
          kind.zero(),
          kind.data(),
          kind == Extent.Kind.COMPRESSED,
          placed ? extent.hostOffset() : Extent.NOWHERE,
          placed && host != null ? host.name() : null);
    }

    long end() {
      return start + length;
    }

    boolean placed() {
      return offset != Extent.NOWHERE;
    }

    MapEntry longer(long bytes) {
      return new MapEntry(
          start, length + bytes, depth, present, zero, data, compressed, offset, file);
    }

    /** The same as a range of zeroes, for output that does not tell kinds of zeroes apart. */
    MapEntry asZero() {
      return new MapEntry(start, length, depth, present, true, false, compressed, offset, file);
    }

    boolean continuedBy(MapEntry next) {
      return length > 0
          && zero == next.zero
          && data == next.data
          && compressed == next.compressed
          && depth == next.depth
          && present == next.present
          && placed() == next.placed()
          && (!placed() || offset + length == next.offset)
          && (file == null ? next.file == null : file.equals(next.file));
    }
  }
}
