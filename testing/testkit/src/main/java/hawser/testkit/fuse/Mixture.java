package hawser.testkit.fuse;

import hawser.base.Wire;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Reads and writes of 4 KiB, attributes and names, as a guest that does many things at once. */
final class Mixture extends Transfers {
  private static final int BLOCK = 4096;

  private final byte[] name;

  Mixture(FuseRing ring, Target target, int number, int depth) {
    super(ring, target, new Kind(false, true), BLOCK, depth);
    this.name = ("file-" + number + '\0').getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  void add(int slot) {
    int side = dice.nextInt(10);
    if (side < 7) {
      transfer(slot, side >= 5, dice.nextLong(target.bytes() / BLOCK) * BLOCK, BLOCK);
    } else if (side < 9) {
      MemorySegment request = header(slot, Opcode.GETATTR, target.node(), 56);
      request.set(Wire.LE64, 40, 0);
      request.set(Wire.LE64, 48, 0);
      send(slot, 56, 104);
    } else {
      int length = Request.HEADER_BYTES + name.length;
      MemorySegment request = header(slot, Opcode.LOOKUP, FuseOperations.ROOT_NODE, length);
      MemorySegment.copy(name, 0, request, ValueLayout.JAVA_BYTE, 40, name.length);
      send(slot, length, Answer.ENTRY_BYTES);
    }
  }
}
