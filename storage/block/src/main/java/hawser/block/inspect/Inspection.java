package hawser.block.inspect;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The judgement on an image from a stranger.
 *
 * @param format by content, as QEMU names it; {@code raw} when nothing is recognised
 * @param fileBytes length of the file
 * @param virtualBytes size of the disk that it claims to hold; the file's for raw, -1 when the
 *     format is not looked into
 * @param references every name in it that would open something else
 * @param facts what else a reader may want to know, name and value
 * @param findings what speaks against it
 */
public record Inspection(
    String format,
    long fileBytes,
    long virtualBytes,
    List<OutsideReference> references,
    Map<String, Json> facts,
    List<Finding> findings) {

  /** Copies the lists. */
  public Inspection {
    references = List.copyOf(references);
    findings = List.copyOf(findings);
  }

  /**
   * Inspects the image in a file: that file only, whatever the image names.
   *
   * @throws BlockFault when the file cannot be read; what the image says is never a fault
   */
  public static Inspection of(BlockNode file) throws BlockFault {
    String format = KnownFormat.of(file);
    return switch (format) {
      case "qcow2" -> new Qcow2Inspector(file).inspect();
      case "raw" -> plain(file, format, file.length(), List.of());
      default ->
          plain(
              file,
              format,
              -1,
              List.of(
                  Finding.odd(
                      "not-inspected",
                      "the format " + format + " is recognised and not inspected deeper")));
    };
  }

  private static Inspection plain(
      BlockNode file, String format, long virtualBytes, List<Finding> findings) throws BlockFault {
    return new Inspection(
        format, file.length(), virtualBytes, List.of(), new LinkedHashMap<>(), findings);
  }

  /** The same, refused when the disk claims more bytes than its taker allows. */
  public Inspection withLimit(long virtualBytesMax) {
    if (virtualBytes <= virtualBytesMax) {
      return this;
    }
    var more = new ArrayList<>(findings);
    more.add(
        Finding.bad(
            "virtual-size",
            "it claims to hold %d bytes, at most %d are allowed"
                .formatted(virtualBytes, virtualBytesMax)));
    return new Inspection(format, fileBytes, virtualBytes, references, facts, more);
  }

  /** The worst of the findings. */
  public Verdict verdict() {
    Verdict worst = Verdict.CLEAN;
    for (Finding finding : findings) {
      worst = finding.weight().compareTo(worst) > 0 ? finding.weight() : worst;
    }
    return worst;
  }

  /** All of it as JSON. */
  public Json.Obj toJson() {
    var members = new LinkedHashMap<String, Json>();
    members.put("format", Json.of(format));
    members.put("verdict", Json.of(verdict().toString()));
    members.put("file-size", Json.of(fileBytes));
    if (virtualBytes >= 0) {
      members.put("virtual-size", Json.of(virtualBytes));
    }
    members.put("references", referencesJson());
    members.put("facts", new Json.Obj(facts));
    var all = new ArrayList<Json>();
    for (Finding finding : findings) {
      var one = new LinkedHashMap<String, Json>();
      one.put("weight", Json.of(finding.weight().toString()));
      one.put("code", Json.of(finding.code()));
      one.put("text", Json.of(finding.text()));
      all.add(new Json.Obj(one));
    }
    members.put("findings", new Json.Arr(all));
    return new Json.Obj(members);
  }

  private Json.Arr referencesJson() {
    var all = new ArrayList<Json>();
    for (OutsideReference reference : references) {
      var one = new LinkedHashMap<String, Json>();
      one.put("role", Json.of(reference.role()));
      one.put("name", Json.of(reference.name()));
      one.put("form", Json.of(reference.form().words()));
      if (!reference.format().isEmpty()) {
        one.put("format", Json.of(reference.format()));
      }
      all.add(new Json.Obj(one));
    }
    return new Json.Arr(all);
  }
}
