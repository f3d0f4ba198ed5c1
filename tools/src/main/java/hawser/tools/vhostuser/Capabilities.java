package hawser.tools.vhostuser;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What {@code --print-capabilities} says, for management software (vhost-user.json).
 *
 * @param type the kind of back-end: {@code block}
 * @param features optional ones, by their names there
 */
record Capabilities(String type, List<String> features) {
  String json() {
    String list =
        features.stream()
            .map(feature -> "    \"" + feature + "\"")
            .collect(Collectors.joining(",\n"));
    return features.isEmpty()
        ? "{\n  \"type\": \"%s\"\n}".formatted(type)
        : "{\n  \"type\": \"%s\",\n  \"features\": [\n%s\n  ]\n}".formatted(type, list);
  }
}
