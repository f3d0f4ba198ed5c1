package hawser.block.inspect;

/**
 * One thing that an inspection found.
 *
 * @param severity how bad it is
 * @param field where: a header field as the format's document spells it, or a part of the file
 * @param text what, with the value and what was allowed
 */
public record Finding(Severity severity, String field, String text) {
  /** How bad a finding is. */
  public enum Severity {
    /** Odd; a person should know. */
    WARNING,
    /** The image should not be opened. */
    REFUSE
  }

  static Finding warning(String field, String text) {
    return new Finding(Severity.WARNING, field, text);
  }

  static Finding refuse(String field, String text) {
    return new Finding(Severity.REFUSE, field, text);
  }
}
