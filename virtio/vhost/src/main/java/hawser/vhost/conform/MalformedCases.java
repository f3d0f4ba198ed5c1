package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.conform.Subject.Reaction;
import hawser.vhost.message.Header;
import java.util.List;

/** Messages that no front-end should send, and odd ways to send good ones. */
final class MalformedCases {
  private static final int GET_FEATURES = 1;
  private static final int GET_VRING_BASE = 11;
  private static final int UNKNOWN = 200;

  /** Where no answer is due, this long is waited for one. */
  private static final int SILENCE_MS = 300;

  static final List<Case> ALL =
      List.of(
          new Case(
              "byte by byte",
              "a message may come in pieces: the socket is a stream",
              subject ->
                  Verdict.of(
                      subject.send(
                              Subject.message(GET_FEATURES, Header.VERSION, 0),
                              true,
                              (int) subject.patience().toMillis())
                          == Reaction.ANSWERED,
                      "GET_FEATURES in 12 pieces was not answered")),
          hostile(
              "half a header",
              "a front-end that leaves in the middle of a message is survived",
              new byte[5]),
          hostile(
              "wrong version",
              "a header of another version ends at most its connection (Header)",
              Subject.message(GET_FEATURES, 2, 0)),
          hostile(
              "huge size",
              "a payload of 4 GiB is refused before it is allocated",
              Subject.message(GET_FEATURES, Header.VERSION, -1)),
          hostile(
              "size of another request",
              "a payload of a wrong size ends at most its connection",
              Subject.message(GET_VRING_BASE, Header.VERSION, 4, 0)),
          hostile(
              "unknown request",
              "a request of the future ends at most its connection",
              Subject.message(UNKNOWN, Header.VERSION | Header.NEED_REPLY, 0)),
          hostile(
              "answer out of the blue",
              "a reply that nobody waits for ends at most its connection",
              Subject.message(GET_FEATURES, Header.VERSION | Header.REPLY, 8, 0, 0)),
          hostile(
              "vring of nowhere",
              "a vring index past the last ends at most its connection",
              Subject.message(GET_VRING_BASE, Header.VERSION, 8, 100_000, 0)));

  private MalformedCases() {}

  private static Case hostile(String name, String rule, byte[] bytes) {
    return new Case(name, rule, subject -> survived(subject, bytes));
  }

  private static Verdict survived(Subject subject, byte[] bytes) throws BlockFault {
    Reaction reaction = subject.send(bytes, false, SILENCE_MS);
    Verdict alive = subject.alive();
    return alive instanceof Verdict.Pass
        ? new Verdict.Pass(reaction.toString().toLowerCase(java.util.Locale.ROOT))
        : alive;
  }
}
