package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.GuestRam;
import java.util.List;

/** Rings of any device, which get nothing to do. */
final class IdleRingCases {
  private static final int TIMES = 5;

  static final List<Case> ALL =
      List.of(
          new Case(
              "ring without work",
              "a ring that had nothing to do stops where it began, and starts again (Ring states)",
              IdleRingCases::idle));

  private IdleRingCases() {}

  private static Verdict idle(Subject subject) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, DriverPlan.of(DriverPlan.SPLIT))) {
      for (int time = 0; time < TIMES; time++) {
        driver.stop();
        int base = driver.frontEnd().getVringBase(0);
        if (base != 0) {
          return new Verdict.Fail("base is %d after nothing".formatted(base));
        }
        driver.resume();
      }
      return Verdict.PASS;
    }
  }
}
