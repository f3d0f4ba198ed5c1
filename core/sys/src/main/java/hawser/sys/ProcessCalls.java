package hawser.sys;

/** Calls on this process itself. */
public final class ProcessCalls {
  private static final NumberCall GETPID = NumberCall.ofInt("getpid");
  private static final NumberCall KILL = NumberCall.ofInt("kill");
  private static final NumberCall SIGNAL = NumberCall.ofLong("signal");
  private static final long DEFAULT_ACTION = 0;

  private ProcessCalls() {}

  /**
   * Sends this process a signal that does what the kernel does by default, which for most of them
   * is to end the process at once: no shutdown hook runs. Answers 0 or a negated error number.
   */
  public static long die(int signal) {
    SIGNAL.call(signal, DEFAULT_ACTION);
    return KILL.call(GETPID.call(0), signal);
  }
}
