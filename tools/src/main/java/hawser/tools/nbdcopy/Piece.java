package hawser.tools.nbdcopy;

import hawser.nbd.client.Exchange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** One buffer of a lane and what is being done with it. */
final class Piece {
  final Exchange reading = new Exchange();
  int writesLeft;
  private final MemorySegment memory;
  private final List<Exchange> writing = new ArrayList<>();
  private MemorySegment data;
  long offset;

  Piece(Arena arena, int bytes) {
    memory = arena.allocate(bytes, 4096);
    data = memory;
  }

  /** The bytes of the part of the disk it holds now. */
  MemorySegment data() {
    return data;
  }

  /** Makes it stand for a part of the disk. */
  void place(long at, long bytes) {
    offset = at;
    if (data.byteSize() != bytes) {
      data = memory.asSlice(0, bytes);
    }
  }

  /** The exchange for the so-manieth run of it. */
  Exchange writing(int number) {
    while (writing.size() <= number) {
      writing.add(new Exchange());
    }
    return writing.get(number);
  }
}
