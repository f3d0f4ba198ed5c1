package hawser.vhost.conform;

/** How a case ended. */
public sealed interface Verdict {
  /** The rule was kept; {@code note} is a measured number or empty. */
  record Pass(String note) implements Verdict {}

  /** The rule was broken, and how. */
  record Fail(String how) implements Verdict {}

  /** The back-end does not offer what the rule is about. */
  record NotOffered(String what) implements Verdict {}

  /** Nobody was there to try it on. */
  record NotTried(String why) implements Verdict {}

  /** The rule was kept. */
  Verdict PASS = new Pass("");

  /** Passes if that is so. */
  static Verdict of(boolean kept, String otherwise) {
    return kept ? PASS : new Fail(otherwise);
  }
}
