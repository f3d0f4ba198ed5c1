package hawser.tools.vhostuser;

import hawser.fs.passthrough.PassThrough;
import hawser.fs.passthrough.Survey;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Answers questions about a shared folder: {@code preflight} asks what would not survive a
 * migration now, {@code progress} how far one is, {@code metrics} the same as numbers for
 * Prometheus.
 */
record FsAnswers(PassThrough files) implements ControlSocket.Answers {
  @Override
  public String to(String question) throws IOException {
    return switch (question) {
      case "preflight" -> preflight();
      case "progress" -> files.progress().now() + "\n";
      case "metrics" -> FsMetrics.text(files.progress().now());
      default -> "unknown: '%s' is not preflight, progress or metrics\n".formatted(question);
    };
  }

  private String preflight() throws IOException {
    Survey survey = files.survey();
    var answer = new StringBuilder(survey.obstacles().isEmpty() ? "ready" : "not ready");
    answer.append(
        ": %d inodes, %d open files, %d locks; %d bytes and %d of content; prepared in %d ms\n"
            .formatted(
                survey.inodes(),
                survey.files(),
                survey.locks(),
                survey.stateBytes(),
                survey.contentBytes(),
                TimeUnit.NANOSECONDS.toMillis(survey.nanos())));
    survey.obstacles().forEach(obstacle -> answer.append(obstacle).append('\n'));
    return answer.toString();
  }
}
