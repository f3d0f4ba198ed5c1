package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.tools.Terminal;
import hawser.tools.img.MapCommand.MapEntry;
import org.jspecify.annotations.Nullable;

/** The map for people: stored data only, in columns. */
record MapHuman(Terminal io) implements MapCommand.MapPrinter {
  private static final int COLUMN = 16;

  @Override
  public void begin() {
    io.line("Offset          Length          Mapped to       File");
  }

  @Override
  public MapEntry print(MapEntry entry, @Nullable MapEntry next) throws BlockFault {
    if (entry.data() && !entry.placed()) {
      throw new BlockFault(
          Errno.EINVAL, "File contains external, encrypted or compressed clusters.");
    }
    if (entry.data() && !entry.zero()) {
      var out = new StringBuilder();
      column(entry.start(), out);
      column(entry.length(), out);
      column(entry.offset(), out);
      io.line(out.append(entry.file() == null ? "" : entry.file()).toString());
    }
    return next == null || (next.data() && !next.zero())
        ? next == null ? entry : next
        : next.asZero();
  }

  /** C's {@code %#-16x}: zero has no prefix. */
  private static void column(long value, StringBuilder out) {
    int start = out.length();
    out.append(value == 0 ? "" : "0x").append(Long.toHexString(value));
    out.repeat(' ', Math.max(0, COLUMN - (out.length() - start)));
  }

  @Override
  public void finish() {}
}
