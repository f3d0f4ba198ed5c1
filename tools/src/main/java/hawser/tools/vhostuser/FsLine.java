package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.fs.dispatch.FsDevice;
import hawser.fs.identity.IdMap;
import hawser.fs.identity.IdRule;
import hawser.fs.passthrough.CacheMode;
import hawser.fs.passthrough.MigrationOptions;
import hawser.fs.passthrough.ShareOptions;
import hawser.fs.passthrough.StateLimits;
import hawser.fs.passthrough.Translation;
import hawser.fs.state.StateForms;
import hawser.fs.xattr.XattrMap;
import hawser.tools.Getopt;
import hawser.tools.Option;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** virtiofsd's own options, as Rust's virtiofsd 1.13 has them. */
final class FsLine {
  /** Descriptors to keep for inodes at most, however many a process may open. */
  private static final int DESCRIPTORS_MAX = 100_000;

  private static final List<Option> OPTIONS =
      List.of(
          Option.value("shared-dir", "DIR", "the folder to share"),
          Option.value("tag", "TAG", "the tag that the guest mounts, where QEMU has none"),
          Option.value("num-request-queues", "N", "request queues (default 1)"),
          Option.value("cache", "MODE", "never, metadata, auto (default) or always"),
          Option.flag("writeback", "the guest collects writes"),
          Option.flag("allow-direct-io", "O_DIRECT reaches the host"),
          Option.flag("allow-mmap", "files may be mapped with --cache never or metadata"),
          Option.flag("xattr", "serve extended attributes"),
          Option.value("xattrmap", "RULES", "other names on the host for extended attributes"),
          Option.value("translate-uid", "RULE", "other numbers on the host for users; repeatable"),
          Option.value("translate-gid", "RULE", "other numbers on the host for groups; repeatable"),
          Option.flag("posix-acl", "serve access control lists (implies --xattr)"),
          Option.flag("security-label", "new files get the guest's security labels"),
          Option.flag("posix-lock", "locks of fcntl(2) are seen by the host and other guests"),
          Option.flag("flock", "locks of flock(2) are seen by the host and other guests"),
          Option.flag("announce-submounts", "file systems inside appear as such (default)"),
          Option.flag("no-announce-submounts", "they appear as folders"),
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
          Option.value('o', "", "OPTIONS", "older names of these, with commas between"),
          Option.flag('d', "", "as --log-level debug, for older command lines"),
          Option.flag('f', "", "accepted, for older command lines"),
          Option.value("thread-pool-size", "N", "accepted: there are as many as are needed"),
          Option.value(
              "inode-file-handles",
              "MODE",
              "never (default), prefer or mandatory: open files again by their handles"),
          Option.value("migration-mode", "MODE", "accepted: the best way is found for each file"),
          Option.flag("migration-verify-handles", "accepted: every file in use is verified"),
          Option.flag("migration-confirm-paths", "accepted: every path in use is confirmed"),
          Option.value("control-socket", "PATH", "answer 'fs-state preflight' on this socket"));

  /** These, and those about the process. */
  static Option[] options() {
    return Stream.concat(OPTIONS.stream(), FsProcessLine.OPTIONS.stream()).toArray(Option[]::new);
  }

  final FsProcessLine process = new FsProcessLine();
  @Nullable Path folder;
  private @Nullable Path control;
  private @Nullable XattrMap xattrMap;
  private final List<IdRule> users = new ArrayList<>();
  private final List<IdRule> groups = new ArrayList<>();
  private String tag = "";
  private int queues = 1;
  CacheMode cache = CacheMode.AUTO;
  boolean writeback;
  boolean allowDirectIo;
  private boolean allowMmap;
  boolean xattr;
  boolean posixAcl;
  private boolean securityLabel;
  boolean posixLock;
  boolean flock;
  boolean announceSubmounts = true;
  boolean readdirplus = true;
  boolean killprivV2;
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
      case "xattrmap" -> {
        xattrMap = said("--xattrmap", line.value(), XattrMap::parse);
        xattr = true;
      }
      case "translate-uid" -> users.add(said("--translate-uid", line.value(), IdRule::parse));
      case "translate-gid" -> groups.add(said("--translate-gid", line.value(), IdRule::parse));
      case "posix-acl" -> {
        posixAcl = true;
        xattr = true;
      }
      case "security-label" -> {
        securityLabel = true;
        xattr = true;
      }
      case "posix-lock" -> posixLock = true;
      case "flock" -> flock = true;
      case "announce-submounts" -> announceSubmounts = true;
      case "no-announce-submounts" -> announceSubmounts = false;
      case "o" -> FsLegacy.read(line.value(), this);
      case "inode-file-handles" -> process.handles = FsProcessLine.handles(line.value());
      case "migration-mode" -> only("--migration-mode", line.value(), "find-paths", "file-handles");
      case "thread-pool-size" ->
          BackEndLine.number("--thread-pool-size", line.value(), Integer.MAX_VALUE);
      case "migration-verify-handles", "migration-confirm-paths", "f" -> {}
      case "no-readdirplus" -> readdirplus = false;
      case "killpriv-v2" -> killprivV2 = true;
      case "no-killpriv-v2" -> killprivV2 = false;
      case "preserve-noatime" -> preserveNoatime = true;
      case "readonly" -> readOnly = true;
      case "migration-on-error" -> onError = onError(line.value());
      case "state-format" -> form = form(line.value());
      case "control-socket" -> control = Path.of(line.value());
      default -> {
        if (!process.take(line)) {
          throw line.unhandled();
        }
      }
    }
  }

  /** What a text says; one that says nothing is the user's fault. */
  static <F, T> T said(String option, F text, Function<F, T> reader) {
    try {
      return reader.apply(text);
    } catch (IllegalArgumentException e) {
      throw new UsageFault("%s: %s".formatted(option, e.getMessage()));
    }
  }

  static void only(String option, String given, String... known) {
    if (!List.of(known).contains(given)) {
      throw new UsageFault(
          "%s: '%s' is not here, only %s".formatted(option, given, String.join(", ", known)));
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

  static CacheMode cache(String text) {
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
    if (posixAcl && !(users.isEmpty() && groups.isEmpty())) {
      // Nobody would translate the numbers in the lists: the wrong users would have rights.
      throw new UsageFault("--posix-acl cannot go with --translate-uid or --translate-gid");
    }
  }

  Path sharedFolder() {
    Path given = folder;
    if (given == null) {
      throw new AssertionError("not checked");
    }
    return given;
  }

  Optional<Path> controlSocket() {
    return Optional.ofNullable(control);
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
        // Without caching nobody could keep what it tells.
        readdirplus && cache != CacheMode.NEVER,
        killprivV2,
        securityLabel,
        allowDirectIo,
        allowMmap,
        preserveNoatime,
        readOnly,
        new Translation(
            xattrMap,
            said("--translate-uid", users, IdMap::of),
            said("--translate-gid", groups, IdMap::of)),
        process.handles,
        DESCRIPTORS_MAX);
  }
}
