package hawser.block;

import hawser.base.BlockFault;
import java.util.function.Consumer;

/** Stops requests at named points, for tests of what happens meanwhile. A blkdebug node has it. */
public interface Breakpoints {
  /** Sends QEMU's lines about requests that stop and go on to {@code listener}, from any thread. */
  void listen(Consumer<String> listener);

  /** The next request that comes to {@code event} waits there until {@link #resume}. */
  void set(BlkdebugEvent event, String tag);

  /**
   * Forgets the breakpoints with that tag and lets the requests go that wait at one.
   *
   * @throws BlockFault ENOENT when there is neither
   */
  void remove(String tag) throws BlockFault;

  /**
   * Lets one waiting request go.
   *
   * @throws BlockFault ENOENT when none waits with that tag
   */
  void resume(String tag) throws BlockFault;

  /** Returns when a request waits at a breakpoint with that tag. */
  void await(String tag);
}
