package hawser.fuzz;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Flaw;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.util.Arrays;

/** A qcow2 header with its extensions: read, judged, and written again when nothing is wrong. */
public final class HeaderTarget {
  private HeaderTarget() {}

  /** Tries one first cluster. */
  public static void fuzzerTestOneInput(byte[] input) {
    try {
      Qcow2Header header = Qcow2Header.read(MemoryDriver.file(input));
      boolean opens = true;
      for (Flaw flaw : header.flaws()) {
        opens &= flaw.blocks() != Flaw.Blocks.OPENING;
      }
      if (opens) {
        header.geometry();
        again(header);
      }
    } catch (BlockFault fault) {
      throw new AssertionError("reading a header judges nothing", fault);
    }
  }

  /** What is written reads the same, as far as it fits into a cluster. */
  private static void again(Qcow2Header header) throws BlockFault {
    byte[] first;
    try {
      first = header.toCluster();
    } catch (BlockFault tooLarge) {
      return;
    }
    Qcow2Header second = Qcow2Header.read(MemoryDriver.file(first));
    if (!Arrays.equals(first, second.toCluster())) {
      throw new AssertionError("a header changes when it is written twice");
    }
  }
}
