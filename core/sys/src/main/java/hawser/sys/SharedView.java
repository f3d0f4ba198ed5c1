package hawser.sys;

import java.lang.foreign.MemorySegment;

/** Memory of one thread, lent to others for as long as that thread waits for them. */
public final class SharedView {
  /** A thread that never runs, to ask whether memory belongs to one thread alone. */
  private static final Thread ANYBODY = Thread.ofPlatform().unstarted(() -> {});

  private SharedView() {}

  /**
   * The same native memory, usable from any thread. The owner must keep it alive and wait until
   * nobody uses the view.
   */
  public static MemorySegment of(MemorySegment memory) {
    return memory.isAccessibleBy(ANYBODY)
        ? memory
        : MemorySegment.ofAddress(memory.address()).reinterpret(memory.byteSize());
  }
}
