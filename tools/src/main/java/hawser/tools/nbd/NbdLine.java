package hawser.tools.nbd;

import hawser.base.UsageFault;
import hawser.block.OpenMode;
import hawser.nbd.NbdLimits;
import hawser.tools.Getopt;
import hawser.tools.Terminal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a command line of qemu-nbd says; its complaints are qemu-nbd's. */
final class NbdLine {
  static final String HINT = "Try `qemu-nbd --help' for more information.";

  boolean help;
  boolean version;
  boolean list;
  boolean persistent;
  boolean verbose;
  boolean readOnly;
  boolean snapshot;
  boolean allocationDepth;
  boolean imageOpts;
  boolean fork;
  boolean kernelDevice;
  int shared = 1;
  int handshakeSeconds = 10;
  long offset;
  OpenMode mode = OpenMode.WRITE;
  String file = "";
  @Nullable String port;
  @Nullable String bind;
  @Nullable String socket;
  @Nullable String exportName;
  @Nullable String description;
  @Nullable String format;
  @Nullable String loadSnapshot;
  @Nullable String pidFile;
  @Nullable String tlsCreds;
  @Nullable String tlsAuthz;
  @Nullable String tlsHostname;
  final List<String> bitmaps = new ArrayList<>();
  final List<String> objects = new ArrayList<>();
  private boolean seenCache;
  private boolean seenAio;
  private boolean seenDiscard;

  static NbdLine parse(String[] args, Terminal io) {
    var line = new NbdLine();
    var options =
        new Getopt("qemu-nbd", "qemu-nbd: " + HINT, NbdOptions.COMMAND.options(), args, io);
    while (options.next()) {
      line.take(options);
      if (line.help || line.version) {
        return line;
      }
    }
    line.check(options.operands(), io);
    return line;
  }

  private void take(Getopt options) {
    switch (options.key()) {
      case "h" -> help = true;
      case "V" -> version = true;
      case "p" -> port = options.value();
      case "b" -> bind = options.value();
      case "k" -> socket = absolute(options.value());
      case "e" -> shared = number(options.value(), "Invalid shared device number '%s'");
      case "t" -> persistent = true;
      case "v" -> verbose = true;
      case "x" -> exportName = bounded(options.value(), "export name '%s' too long");
      case "D" -> description = bounded(options.value(), "export description '%s' too long");
      case "handshake-limit" ->
          handshakeSeconds = number(options.value(), "Invalid handshake limit '%s'");
      case "A" -> allocationDepth = true;
      case "B" -> bitmaps.add(options.value());
      case "L" -> list = true;
      case "object" -> objects.add(options.value());
      case "tls-creds" -> tlsCreds = options.value();
      case "tls-authz" -> tlsAuthz = options.value();
      case "tls-hostname" -> tlsHostname = options.value();
      case "T" -> {}
      case "fork" -> fork = true;
      case "pid-file" -> pidFile = options.value();
      case "selinux-label" -> throw new UsageFault("SELinux support not enabled in this binary");
      case "c", "d" -> kernelDevice = true;
      default -> takeOfDisk(options);
    }
  }

  private void takeOfDisk(Getopt options) {
    switch (options.key()) {
      case "o" -> offset = offset(options.value());
      case "f" -> format = options.value();
      case "r" -> readOnly = true;
      case "s" -> snapshot = true;
      case "l" -> {
        loadSnapshot = options.value();
        readOnly = true;
      }
      case "n" -> cache("off");
      case "cache" -> cache(options.value());
      case "aio" -> aio(options.value());
      case "discard" -> discard(options.value());
      case "detect-zeroes" -> detectZeroes(options.value());
      case "image-opts" -> imageOpts = true;
      default -> throw options.unhandled();
    }
  }

  private void cache(String name) {
    if (seenCache) {
      throw new UsageFault("-n and --cache can only be specified once");
    }
    seenCache = true;
    mode =
        mode.withCache(
            OpenMode.Cache.named(name)
                .orElseThrow(() -> new UsageFault("Invalid cache mode `" + name + "'")));
  }

  private void aio(String name) {
    if (seenAio) {
      throw new UsageFault("--aio can only be specified once");
    }
    seenAio = true;
    if (!List.of("threads", "native", "io_uring").contains(name)) {
      throw new UsageFault("Invalid aio mode '" + name + "'");
    }
  }

  private void discard(String name) {
    if (seenDiscard) {
      throw new UsageFault("--discard can only be specified once");
    }
    seenDiscard = true;
    mode =
        switch (name) {
          case "unmap", "on" -> mode.withUnmap(true);
          case "ignore", "off" -> mode.withUnmap(false);
          default -> throw new UsageFault("Invalid discard mode `" + name + "'");
        };
  }

  private void detectZeroes(String name) {
    for (var one : OpenMode.DetectZeroes.values()) {
      if (one.name().toLowerCase(Locale.ROOT).equals(name)) {
        if (one == OpenMode.DetectZeroes.UNMAP && !mode.unmap()) {
          throw new UsageFault(
              "setting detect-zeroes to unmap is not allowed without setting discard operation"
                  + " to unmap");
        }
        mode = mode.withDetectZeroes(one);
        return;
      }
    }
    throw new UsageFault(
        "Failed to parse detect_zeroes mode: Parameter 'detect-zeroes' does not accept value '"
            + name
            + "'");
  }

  private void check(List<String> operands, Terminal io) {
    if (list) {
      checkList(operands);
    } else if (operands.size() != 1) {
      io.error("qemu-nbd: Invalid number of arguments");
      io.error(HINT);
      throw new UsageFault("");
    } else {
      file = operands.getFirst();
    }
    checkTls();
    if (kernelDevice) {
      throw new UsageFault(
          "Kernel /dev/nbdN support not available; serve the disk with --socket and attach it"
              + " with nbd-client");
    }
    if (imageOpts && format != null) {
      throw new UsageFault("--image-opts and -f are mutually exclusive");
    }
    if (readOnly) {
      mode = mode.withWritable(false);
    }
  }

  private void checkList(List<String> operands) {
    if (!operands.isEmpty()) {
      throw new UsageFault("List mode is incompatible with a file name");
    }
    if (exportName != null
        || description != null
        || offset != 0
        || kernelDevice
        || format != null
        || loadSnapshot != null
        || !bitmaps.isEmpty()
        || allocationDepth
        || seenAio
        || seenDiscard
        || seenCache) {
      throw new UsageFault("List mode is incompatible with per-device settings");
    }
    if (fork) {
      throw new UsageFault("List mode is incompatible with forking");
    }
  }

  private void checkTls() {
    if (tlsCreds != null) {
      if (kernelDevice) {
        throw new UsageFault("TLS is not supported with a host device");
      }
      if (tlsAuthz != null && list) {
        throw new UsageFault("TLS authorization is incompatible with export list");
      }
      if (tlsHostname != null && !list) {
        throw new UsageFault("TLS hostname is only supported with export list");
      }
    } else if (tlsAuthz != null) {
      throw new UsageFault("--tls-authz is not permitted without --tls-creds");
    } else if (tlsHostname != null) {
      throw new UsageFault("--tls-hostname is not permitted without --tls-creds");
    }
  }

  private static String absolute(String path) {
    if (!path.startsWith("/")) {
      throw new UsageFault("socket path must be absolute");
    }
    return path;
  }

  private static String bounded(String text, String complaint) {
    if (text.getBytes(StandardCharsets.UTF_8).length > NbdLimits.STRING_BYTES_MAX) {
      throw new UsageFault(complaint.formatted(text));
    }
    return text;
  }

  private static int number(String text, String complaint) {
    try {
      int value = Integer.decode(text);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new UsageFault(complaint.formatted(text));
    }
    throw new UsageFault(complaint.formatted(text));
  }

  private static long offset(String text) {
    try {
      return Long.decode(text);
    } catch (NumberFormatException e) {
      throw new UsageFault("Invalid offset '" + text + "'");
    }
  }
}
