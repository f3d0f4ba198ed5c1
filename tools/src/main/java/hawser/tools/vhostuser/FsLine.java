package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.fs.dispatch.FsDevice;
import hawser.fs.passthrough.CacheMode;
import hawser.fs.passthrough.MigrationOptions;
import hawser.fs.passthrough.ShareOptions;
import hawser.fs.passthrough.StateLimits;
import hawser.fs.state.StateForms;
import hawser.tools.Getopt;
import hawser.tools.Option;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** virtiofsd's own options, as Rust's virtiofsd 1.13 has them. */
final class FsLine {
  /** Descriptors to keep for inodes at most, however many a process may open. */
  private static final int DESCRIPTORS_MAX = 100_000;

  static final List<Option> OPTIONS =
      List.of(
          Option.value("shared-dir", "DIR", "the folder to share"),
          Option.value("tag", "TAG", "the tag that the guest mounts, where QEMU has none"),
          Option.value("num-request-queues", "N", "request queues (default 1)"),
          Option.value("cache", "MODE", "never, metadata, auto (default) or always"),
          Option.flag("writeback", "the guest collects writes"),
          Option.flag("allow-direct-io", "O_DIRECT reaches the host"),
          Option.flag("allow-mmap", "files may be mapped with --cache never or metadata"),
          Option.flag("xattr", "serve extended attributes"),
          Option.flag("posix-acl", "serve access control lists (implies --xattr)"),
          Option.flag("security-label", "new files get the guest's security labels"),
          Option.flag("posix-lock", "locks of fcntl(2) are seen by the host and other guests"),
          Option.flag("flock", "locks of flock(2) are seen by the host and other guests"),
          Option.flag("announce-submounts", "file systems inside appear as such (default)"),
          Option.flag("no-readdirplus", "listings come without attributes"),
          Option.flag("killpriv-v2", "the host takes set-user-ID bits away"),
          Option.flag("no-killpriv-v2", "the guest takes set-user-ID bits away (default)"),
          Option.flag("preserve-noatime", "O_NOATIME reaches the host"),
          Option.flag("readonly", "nothing can be changed"),
          Option.value(
              "migration-on-error",
              "HOW",
              "abort (default): a guest whose files cannot all be found stays where it is;"
                  + " guest-error: those fail"),
          Option.value(
              "state-format",
              "FORM",
              "hawser (default) or virtiofsd: what a guest's state is written as; both are read"),
          Option.value("control-socket", "PATH", "answer 'fs-state preflight' on this socket"),
          Option.value("rlimit-nofile", "N", "open files at most (default: what is allowed)"));

  private @Nullable Path folder;
  private @Nullable Path control;
  private String tag = "";
  private int queues = 1;
  private CacheMode cache = CacheMode.AUTO;
  private boolean writeback;
  private boolean allowDirectIo;
  private boolean allowMmap;
  private boolean xattr;
  private boolean posixAcl;
  private boolean securityLabel;
  private boolean posixLock;
  private boolean flock;
  private boolean announceSubmounts = true;
  private boolean readdirplus = true;
  private boolean killprivV2;
  private boolean preserveNoatime;
  private boolean readOnly;
  private StateForms form = StateForms.HAWSER;
  private MigrationOptions.OnError onError = MigrationOptions.OnError.ABORT;

  void take(Getopt line) {
    switch (line.key()) {
      case "shared-dir" -> folder = Path.of(line.value());
      case "tag" -> {
        tag = line.value();
        VirtiofsdProgram.checkTag(tag);
      }
      case "num-request-queues" -> {
        queues =
            BackEndLine.number("--num-request-queues", line.value(), FsDevice.REQUEST_QUEUES_MAX);
        if (queues == 0) {
          throw new UsageFault("--num-request-queues: at least 1");
        }
      }
      case "cache" -> cache = cache(line.value());
      case "writeback" -> writeback = true;
      case "allow-direct-io" -> allowDirectIo = true;
      case "allow-mmap" -> allowMmap = true;
      case "xattr" -> xattr = true;
      case "posix-acl" -> {
        posixAcl = true;
        xattr = true;
      }
      case "security-label" -> securityLabel = true;
      case "posix-lock" -> posixLock = true;
      case "flock" -> flock = true;
      case "announce-submounts" -> announceSubmounts = true;
      case "no-readdirplus" -> readdirplus = false;
      case "killpriv-v2" -> killprivV2 = true;
      case "no-killpriv-v2" -> killprivV2 = false;
      case "preserve-noatime" -> preserveNoatime = true;
      case "readonly" -> readOnly = true;
      case "migration-on-error" -> onError = onError(line.value());
      case "state-format" -> form = form(line.value());
      case "control-socket" -> control = Path.of(line.value());
      case "rlimit-nofile" ->
          BackEndLine.number("--rlimit-nofile", line.value(), Integer.MAX_VALUE);
      default -> throw line.unhandled();
    }
  }

  private static MigrationOptions.OnError onError(String text) {
    return switch (text) {
      case "abort" -> MigrationOptions.OnError.ABORT;
      case "guest-error" -> MigrationOptions.OnError.GUEST_ERROR;
      default ->
          throw new UsageFault(
              "--migration-on-error: '%s' is neither abort nor guest-error".formatted(text));
    };
  }

  private static StateForms form(String text) {
    return switch (text) {
      case "hawser" -> StateForms.HAWSER;
      case "virtiofsd" -> StateForms.VIRTIOFSD;
      default ->
          throw new UsageFault(
              "--state-format: '%s' is neither hawser nor virtiofsd".formatted(text));
    };
  }

  MigrationOptions migration() {
    return new MigrationOptions(onError, form, StateLimits.USUAL);
  }

  private static CacheMode cache(String text) {
    for (CacheMode mode : CacheMode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(text)) {
        return mode;
      }
    }
    throw new UsageFault("--cache: '%s' is not never, metadata, auto or always".formatted(text));
  }

  void check() {
    if (folder == null) {
      throw new UsageFault("--shared-dir is needed");
    }
  }

  Path sharedFolder() {
    Path given = folder;
    if (given == null) {
      throw new AssertionError("not checked");
    }
    return given;
  }

  @Nullable Path controlSocket() {
    return control;
  }

  String tag() {
    return tag;
  }

  int queues() {
    return queues;
  }

  ShareOptions share() {
    return new ShareOptions(
        cache,
        writeback,
        xattr,
        posixAcl,
        posixLock,
        flock,
        announceSubmounts,
        readdirplus,
        killprivV2,
        securityLabel,
        allowDirectIo,
        allowMmap,
        preserveNoatime,
        readOnly,
        DESCRIPTORS_MAX);
  }
}
