package hawser.vhost.conform;

import hawser.base.BlockFault;

/**
 * A rule and the trial of it.
 *
 * @param name a short name
 * @param rule what must be so, and where that is said
 * @param trial tries it; a fault that it does not expect is a failure
 */
public record Case(String name, String rule, Trial trial) {
  /** Tries one rule on connections of its own. */
  @FunctionalInterface
  public interface Trial {
    /** The verdict; faults of the back-end may pass through. */
    Verdict on(Subject subject) throws BlockFault;
  }

  /** Runs the trial. */
  public Verdict on(Subject subject) {
    try {
      return trial.on(subject);
    } catch (hawser.base.PeerFault | BlockFault fault) {
      return new Verdict.Fail(String.valueOf(fault.getMessage()));
    }
  }
}
