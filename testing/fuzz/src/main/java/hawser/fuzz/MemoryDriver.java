package hawser.fuzz;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.testkit.node.MemoryNode;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/** The protocol {@code memory}: opens the one node that it was given. */
public final class MemoryDriver implements Driver {
  private final BlockNode node;

  /** Opens {@code node}. */
  public MemoryDriver(BlockNode node) {
    this.node = node;
  }

  /** A file in memory with this content. */
  public static MemoryNode file(byte[] content) {
    var node = new MemoryNode("memory", content.length);
    put(node, 0, content, content.length);
    return node;
  }

  /** Writes the first {@code length} bytes of a content at an offset. */
  static void put(MemoryNode node, long at, byte[] content, int length) {
    if (length <= 0) {
      return;
    }
    try (var arena = Arena.ofConfined()) {
      node.write(arena.allocateFrom(ValueLayout.JAVA_BYTE, content).asSlice(0, length), at, 0);
    } catch (BlockFault fault) {
      throw new AssertionError("memory takes what it is given", fault);
    }
  }

  /** An opener that knows this driver and follows no name. */
  public Opener opener() {
    return new Opener(OpenPolicy.NOTHING, this);
  }

  /** Options that open the node as a qcow2 image. */
  public static Options qcow2() {
    return new Options()
        .put("driver", Json.of("qcow2"))
        .putDotted("file.driver", Json.of("memory"));
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) {
    return node;
  }
}
