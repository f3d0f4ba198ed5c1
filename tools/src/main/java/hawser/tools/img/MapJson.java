package hawser.tools.img;

import hawser.tools.Terminal;
import hawser.tools.img.MapCommand.MapEntry;
import org.jspecify.annotations.Nullable;

/** The map for programs: one object a line, members in qemu-img's own order. */
record MapJson(Terminal io) implements MapCommand.MapPrinter {
  @Override
  public void begin() {
    io.print("[");
  }

  @Override
  public MapEntry print(MapEntry entry, @Nullable MapEntry next) {
    var out = new StringBuilder();
    out.append("{ \"start\": ").append(entry.start());
    out.append(", \"length\": ").append(entry.length());
    out.append(", \"depth\": ").append(entry.depth());
    out.append(", \"present\": ").append(entry.present());
    out.append(", \"zero\": ").append(entry.zero());
    out.append(", \"data\": ").append(entry.data());
    out.append(", \"compressed\": ").append(entry.compressed());
    if (entry.placed()) {
      out.append(", \"offset\": ").append(entry.offset());
    }
    io.print(out.append(next == null ? "}" : "},\n").toString());
    return next == null ? entry : next;
  }

  @Override
  public void finish() {
    io.print("]\n");
  }
}
