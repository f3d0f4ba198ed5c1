package hawser.fuzz;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.OpenMode;
import hawser.block.format.qcow2.check.CheckLimits;
import hawser.block.format.qcow2.check.CheckListener;
import hawser.block.format.qcow2.check.Qcow2Check;
import hawser.block.inspect.Inspection;
import hawser.block.inspect.Verdict;
import hawser.testkit.node.MemoryNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A whole image: it is inspected, checked, opened, described and read, whatever it says. */
public final class ImageTarget {
  /** Bytes read at a time. */
  private static final int PIECE = 64 << 10;

  /** Most pieces of a disk that are read, and most extents that are asked for. */
  private static final int PIECES_MAX = 16;

  /** Most lines of a check before it is cancelled: a hostile image has no end of them. */
  private static final int LINES_MAX = 10_000;

  private static final CheckLimits LIMITS = new CheckLimits(8 << 20, 2);

  private ImageTarget() {}

  /** Tries one image. */
  public static void fuzzerTestOneInput(byte[] input) {
    tryAll(MemoryDriver.file(input));
  }

  /** Does with an image what the tools do; true when it could be opened and read to the end. */
  public static boolean tryAll(MemoryNode file) {
    boolean refused = inspect(file).equals(Verdict.REFUSE);
    check(file);
    boolean read = read(file);
    if (read && refused && file.length() == 0) {
      throw new AssertionError("an empty file was read as an image");
    }
    return read;
  }

  private static Verdict inspect(MemoryNode file) {
    try {
      Inspection inspection = Inspection.of(file);
      if (inspection.toJson().members().isEmpty()) {
        throw new AssertionError("an inspection says nothing");
      }
      return inspection.verdict();
    } catch (BlockFault fault) {
      throw new AssertionError("what an image says is never a fault", fault);
    }
  }

  private static void check(MemoryNode file) {
    try {
      Qcow2Check.run(file, new Patience(), LIMITS);
    } catch (BlockFault expected) {
      requireWords(expected);
    }
  }

  /** Hears a bounded number of lines. */
  private static final class Patience implements CheckListener {
    private int lines;

    @Override
    public void line(String text) {
      lines++;
    }

    @Override
    public boolean cancelled() {
      return lines > LINES_MAX;
    }
  }

  private static boolean read(MemoryNode file) {
    OpenMode mode = OpenMode.READ.withQuick(true);
    try (BlockNode node = new MemoryDriver(file).opener().open(MemoryDriver.qcow2(), mode);
        var arena = Arena.ofConfined()) {
      node.info();
      long length = node.length();
      MemorySegment piece = arena.allocate(PIECE, 4096);
      long at = 0;
      for (int i = 0; i < PIECES_MAX && at < length; i++) {
        long bytes = Math.min(PIECE, length - at);
        node.read(piece.asSlice(0, bytes), at);
        at += bytes;
      }
      extents(node, length);
      return true;
    } catch (BlockFault expected) {
      requireWords(expected);
      return false;
    }
  }

  private static void extents(BlockNode node, long length) throws BlockFault {
    long at = 0;
    for (int i = 0; i < PIECES_MAX && at < length; i++) {
      Extent extent = node.extent(at, length - at);
      if (extent.length() < 1 || extent.length() > length - at) {
        throw new AssertionError("an extent of " + extent.length() + " bytes at " + at);
      }
      at += extent.length();
    }
  }

  private static void requireWords(BlockFault fault) {
    if (fault.getMessage().isBlank()) {
      throw new AssertionError("a fault without words", fault);
    }
  }
}
