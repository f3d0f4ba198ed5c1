package hawser.block.inspect;

/**
 * One thing that speaks against an image.
 *
 * @param weight how much: {@link Verdict#SUSPICIOUS} or {@link Verdict#REFUSE}
 * @param code what kind of thing, for programs: {@code backing-file}
 * @param text for people; may contain names out of the image, as they are there
 */
public record Finding(Verdict weight, String code, String text) {
  static Finding odd(String code, String text) {
    return new Finding(Verdict.SUSPICIOUS, code, text);
  }

  static Finding bad(String code, String text) {
    return new Finding(Verdict.REFUSE, code, text);
  }
}
