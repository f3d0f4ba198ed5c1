package hawser.vhost.conform;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** The cases by which back-ends are judged, in an order in which the gentle ones come first. */
public final class Conformance {
  private Conformance() {}

  /** Cases for any device: they give it nothing to do. */
  public static List<Case> forAnyDevice() {
    var cases = new ArrayList<Case>(NegotiationCases.ALL);
    cases.addAll(SharingCases.ALL);
    cases.addAll(IdleRingCases.ALL);
    cases.add(MigrationCases.DEVICE_STATE);
    cases.add(PostcopyCases.ANNOUNCED);
    cases.addAll(MalformedCases.ALL);
    return cases;
  }

  /** Those and cases for a disk of at least 4 MiB, from which only is read. */
  public static List<Case> forBlk() {
    var cases = new ArrayList<>(NegotiationCases.ALL);
    cases.addAll(SharingCases.ALL);
    cases.addAll(IdleRingCases.ALL);
    cases.addAll(RingCases.ALL);
    cases.addAll(AddressCases.ALL);
    cases.addAll(MigrationCases.ALL);
    cases.addAll(PostcopyCases.ALL);
    cases.addAll(HostileRingCases.ALL);
    cases.addAll(MalformedCases.ALL);
    return cases;
  }

  /** Tries one case after the other; {@code told} hears of each. Whether none failed. */
  public static boolean judge(Subject subject, List<Case> cases, BiConsumer<Case, Verdict> told) {
    boolean good = true;
    boolean gone = false;
    for (Case one : cases) {
      Verdict verdict = gone ? new Verdict.NotTried("the back-end is gone") : one.on(subject);
      told.accept(one, verdict);
      if (verdict instanceof Verdict.Fail) {
        good = false;
        gone = !subject.listens();
      }
    }
    return good;
  }
}
