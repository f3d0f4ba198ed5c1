package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L1Entry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.StampedLock;

/**
 * The mapping tables of an image and the two locks around them; see the package documentation for
 * how they work together.
 */
final class Tables implements AutoCloseable {
  /** Makes room when every slot that a slice may go into is dirty: writes them. */
  @FunctionalInterface
  interface MakeRoom {
    void makeRoom() throws BlockFault;
  }

  private static final int OPTIMISTIC_TRIES = 4;

  private final HostFile file;
  private final Geometry geometry;
  private final Mapping mapping;
  private final Damage damage;
  private final ReentrantLock mutex = new ReentrantLock();
  private final StampedLock view = new StampedLock();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment incoming;
  private MakeRoom makeRoom =
      () -> {
        throw new AssertionError("a read-only image has dirty slices");
      };

  Tables(HostFile file, Geometry geometry, Mapping mapping, Damage damage) {
    this.file = file;
    this.geometry = geometry;
    this.mapping = mapping;
    this.damage = damage;
    this.incoming = arena.allocate(mapping.slices().slotBytes(), 4096);
  }

  void onFull(MakeRoom action) {
    makeRoom = action;
  }

  /** Held while tables change and while they are loaded. */
  ReentrantLock mutex() {
    return mutex;
  }

  /** Write-locked, inside the mutex, for each moment in which tables in memory change. */
  StampedLock view() {
    return view;
  }

  Mapping mapping() {
    return mapping;
  }

  Geometry geometry() {
    return geometry;
  }

  /** Looks up in memory only, without waiting for anybody. False: not in memory. */
  boolean lookupCached(Run run, long guest, long max) throws BlockFault {
    for (int i = 0; i < OPTIMISTIC_TRIES; i++) {
      long stamp = view.tryOptimisticRead();
      if (stamp != 0) {
        boolean found = mapping.lookup(run, guest, max);
        if (view.validate(stamp)) {
          return found && valid(run, guest);
        }
      }
      Thread.onSpinWait();
    }
    long stamp = view.readLock();
    try {
      if (!mapping.lookup(run, guest, max)) {
        return false;
      }
    } finally {
      view.unlockRead(stamp);
    }
    return valid(run, guest);
  }

  /** Looks up, loading the slice when it is not in memory. */
  void lookup(Run run, long guest, long max) throws BlockFault {
    while (!lookupCached(run, guest, max)) {
      mutex.lock();
      try {
        if (!mapping.lookup(run, guest, max)) {
          load(guest);
        }
      } finally {
        mutex.unlock();
      }
    }
  }

  /** Looks up under the mutex, where nothing can change. */
  void lookupLocked(Run run, long guest, long max) throws BlockFault {
    if (!mapping.lookup(run, guest, max)) {
      load(guest);
      if (!mapping.lookup(run, guest, max)) {
        throw new AssertionError("a slice just loaded is missing");
      }
    }
    valid(run, guest);
  }

  private boolean valid(Run run, long guest) throws BlockFault {
    if (run.kind == Run.Kind.INVALID) {
      throw damage.entry(guest, run.entry, mapping);
    }
    return true;
  }

  /**
   * The slot of the slice that maps {@code guest}, loaded if need be. Its L2 table must exist.
   * Needs the mutex.
   */
  int slot(long guest) throws BlockFault {
    int slot = mapping.slices().find(mapping.sliceOf(guest));
    return slot >= 0 ? slot : load(guest);
  }

  private int load(long guest) throws BlockFault {
    long slice = mapping.sliceOf(guest);
    long table = L1Entry.offset(mapping.l1().get(mapping.l1Index(guest)));
    file.event(BlkdebugEvent.L2_LOAD);
    try {
      file.read(incoming, table + mapping.offsetInTable(slice));
    } catch (BlockFault fault) {
      throw new BlockFault(fault.errno(), fault.getMessage(), fault);
    }
    return install(slice);
  }

  /** Puts a slice of a new L2 table, all zero, into memory. Needs the mutex. */
  int installEmpty(long slice) throws BlockFault {
    incoming.fill((byte) 0);
    return install(slice);
  }

  private int install(long slice) throws BlockFault {
    int slot = mapping.slices().victim(slice);
    if (slot < 0) {
      makeRoom.makeRoom();
      slot = mapping.slices().victim(slice);
      if (slot < 0) {
        throw new BlockFault(Errno.EIO, "no metadata slice could be written back");
      }
    }
    long stamp = view.writeLock();
    try {
      mapping.slices().put(slot, slice, incoming);
    } finally {
      view.unlockWrite(stamp);
    }
    return slot;
  }

  @Override
  public void close() {
    mapping.slices().close();
    arena.close();
  }
}
