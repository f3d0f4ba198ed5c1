package hawser.block.inspect;

import java.util.List;
import java.util.OptionalLong;

/**
 * What an inspection says of one file.
 *
 * @param format as QEMU spells it; {@code raw} when no known format is recognised
 * @param fileBytes the file's length
 * @param virtualBytes what the image claims as its disk's size; empty when it cannot be read
 * @param references every outside reference
 * @param findings everything odd, in the order in which it was met
 */
public record Inspection(
    String format,
    long fileBytes,
    OptionalLong virtualBytes,
    List<Reference> references,
    List<Finding> findings) {

  /** Copies the lists. */
  public Inspection {
    references = List.copyOf(references);
    findings = List.copyOf(findings);
  }

  /** The judgement. */
  public enum Verdict {
    /** Nothing was found. */
    CLEAN,
    /** Something is odd. */
    WARNINGS,
    /** The image should not be opened. */
    REFUSE
  }

  /** The worst of the findings. */
  public Verdict verdict() {
    Verdict worst = Verdict.CLEAN;
    for (Finding finding : findings) {
      switch (finding.severity()) {
        case REFUSE -> {
          return Verdict.REFUSE;
        }
        case WARNING -> worst = Verdict.WARNINGS;
      }
    }
    return worst;
  }
}
