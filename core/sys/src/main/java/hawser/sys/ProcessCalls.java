package hawser.sys;

import static hawser.sys.Native.bind;
import static hawser.sys.Native.broken;
import static hawser.sys.Native.check;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/** Calls on this process itself. */
public final class ProcessCalls {
  private static final MethodHandle GETPID = bind("getpid", JAVA_INT);
  private static final MethodHandle KILL = bind("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SIGNAL = bind("signal", JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final long DEFAULT_ACTION = 0;

  private ProcessCalls() {}

  /**
   * Sends this process a signal that does what the kernel does by default, which for most of them
   * is to end the process at once: no shutdown hook runs. Answers 0 or a negated error number.
   */
  public static long die(int signal) {
    try {
      var state = state();
      long _ = (long) SIGNAL.invokeExact(state, signal, DEFAULT_ACTION);
      int pid = (int) GETPID.invokeExact(state);
      return check((int) KILL.invokeExact(state, pid, signal), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }
}
