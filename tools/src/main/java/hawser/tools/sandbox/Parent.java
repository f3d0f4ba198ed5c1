package hawser.tools.sandbox;

import hawser.base.UsageFault;
import hawser.sys.PrivilegeCalls;
import hawser.sys.ProcessCalls;

/** The process that a daemon is not to outlive, which names itself when it starts one. */
public final class Parent {
  private static final String PROPERTY = "hawser.parent";

  private Parent() {}

  /**
   * What the command line of a Java virtual machine has beside its other flags that is to end with
   * the calling thread, however that ends.
   */
  public static String flag() {
    return "-D%s=%d".formatted(PROPERTY, ProcessHandle.current().pid());
  }

  /**
   * Lets this process be sent SIGTERM when the one ends that has named itself; does nothing if none
   * has. What this process becomes says it anew, for some programs on the way forget it.
   */
  static void dieWith() {
    Long parent = Long.getLong(PROPERTY);
    // A daemon that has a keeper ends with that.
    if (parent == null || Stage.current().keeper() >= 0) {
      return;
    }
    PrivilegeCalls.dieWithParent(ProcessCalls.SIGTERM);
    if (ProcessCalls.parent() != parent) {
      throw new UsageFault("whoever started this has ended");
    }
  }
}
