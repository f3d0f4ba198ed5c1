package hawser.testkit.node;

import hawser.base.BlockFault;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * The disks that a crash can leave behind, out of what a {@link RecordingNode} wrote down. A crash
 * keeps everything up to the last flush, and of what came later any part: a write may be there, not
 * there, or there in some of its sectors, whatever became of the writes around it. One that
 * promised durability itself is kept from the moment it returned. Used by one thread, which walks
 * forward.
 */
public final class CrashStates {
  private final List<Operation> operations;
  private final MemoryNode durable;
  private final List<Operation> pending = new ArrayList<>();
  private int done;

  /** Begins before the first of {@code operations}, on a disk that looked like {@code before}. */
  public CrashStates(MemoryNode before, List<Operation> operations) {
    this.durable = before.copy();
    this.operations = List.copyOf(operations);
  }

  /** How many operations have been passed. */
  public int done() {
    return done;
  }

  /** Passes one more operation; false when there are no more. */
  public boolean advance() throws BlockFault {
    if (done == operations.size()) {
      return false;
    }
    Operation next = operations.get(done++);
    switch (next) {
      case Operation.Flush() -> settle();
      case Operation.Write(_, _, boolean now) -> {
        pending.add(next);
        if (now) {
          makeDurable(next);
        }
      }
      case Operation.Zero(_, _, boolean now) -> {
        pending.add(next);
        if (now) {
          makeDurable(next);
        }
      }
      case Operation.Discard _, Operation.Resize _ -> pending.add(next);
    }
    return true;
  }

  /** A durable write settles itself, and nothing of what came before it. */
  private void makeDurable(Operation operation) throws BlockFault {
    operation.apply(durable);
  }

  private void settle() throws BlockFault {
    for (Operation operation : pending) {
      operation.apply(durable);
    }
    pending.clear();
  }

  /** What was done since the last flush, and is not sure to be kept. */
  public List<Operation> pending() {
    return List.copyOf(pending);
  }

  /** The disk if nothing is lost. */
  public MemoryNode whole() throws BlockFault {
    MemoryNode disk = durable.copy();
    for (Operation operation : pending) {
      operation.apply(disk);
    }
    return disk;
  }

  /** The disk if everything that can be lost is lost. */
  public MemoryNode least() {
    return durable.copy();
  }

  /** The disk if of the pending operations exactly those are kept, whole. */
  public MemoryNode keeping(BitSet kept) throws BlockFault {
    MemoryNode disk = durable.copy();
    for (int i = 0; i < pending.size(); i++) {
      if (kept.get(i) || settled(pending.get(i))) {
        pending.get(i).apply(disk);
      }
    }
    return disk;
  }

  /** A disk that chance chose: each pending operation is kept, lost, or kept in some sectors. */
  public MemoryNode torn(Random dice) throws BlockFault {
    MemoryNode disk = durable.copy();
    for (Operation operation : pending) {
      int chance = settled(operation) ? 0 : dice.nextInt(3);
      if (chance == 0) {
        operation.apply(disk);
      } else if (chance == 1 && operation instanceof Operation.Write write) {
        var sectors = new BitSet();
        for (int i = 0; i < write.sectors(); i++) {
          sectors.set(i, dice.nextBoolean());
        }
        write.applyTorn(disk, sectors);
      }
    }
    return disk;
  }

  private static boolean settled(Operation operation) {
    return switch (operation) {
      case Operation.Write(_, _, boolean now) -> now;
      case Operation.Zero(_, _, boolean now) -> now;
      case Operation.Discard _, Operation.Resize _, Operation.Flush _ -> false;
    };
  }
}
