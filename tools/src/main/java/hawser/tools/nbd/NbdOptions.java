package hawser.tools.nbd;

import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;

/** The command line of qemu-nbd as data. */
final class NbdOptions {
  static final Command COMMAND =
      new Command(
          "",
          "Serve a disk over NBD",
          "FILE",
          List.of(
              Option.flag('h', "help", "print this help and exit"),
              Option.flag('V', "version", "print the version and exit"),
              Option.value('p', "port", "PORT", "TCP port to listen on (default 10809)"),
              Option.value('b', "bind", "IFACE", "address to listen on (default 0.0.0.0)"),
              Option.value('k', "socket", "PATH", "listen on a unix socket"),
              Option.value('e', "shared", "NUM", "clients at a time (default 1; 0 is no limit)"),
              Option.flag('t', "persistent", "go on when the last client has gone"),
              Option.flag('v', "verbose", "go on saying what is wrong in the background"),
              Option.value('x', "export-name", "NAME", "the export's name (default empty)"),
              Option.value('D', "description", "TEXT", "a description for people"),
              Option.value(
                  "handshake-limit", "N", "seconds a handshake may take (default 10; 0 any)"),
              Option.value('o', "offset", "OFFSET", "serve from this byte on"),
              Option.flag('A', "allocation-depth", "offer qemu:allocation-depth"),
              Option.value('B', "bitmap", "NAME", "offer a dirty bitmap; may be repeated"),
              Option.flag('L', "list", "list the exports of another server"),
              Option.value("object", "OBJDEF", "a secret, credentials or an authorisation"),
              Option.value("tls-creds", "ID", "use TLS with these credentials"),
              Option.value("tls-authz", "ID", "admit only clients that this object admits"),
              Option.value("tls-hostname", "HOST", "the name to expect in a certificate"),
              Option.value('T', "trace", "PATTERN", "accepted and ignored"),
              Option.flag("fork", "go to the background once clients can connect"),
              Option.value("pid-file", "PATH", "write the process id there"),
              Option.value("selinux-label", "LABEL", "not supported"),
              Option.value('c', "connect", "DEV", "not supported: see nbd-client"),
              Option.flag('d', "disconnect", "not supported: see nbd-client"),
              Option.value('f', "format", "FORMAT", "the image's format; else it is probed"),
              Option.flag('r', "read-only", "refuse writes"),
              Option.flag('s', "snapshot", "write to a temporary overlay that is thrown away"),
              Option.value('l', "load-snapshot", "SNAPSHOT", "serve an internal snapshot"),
              Option.flag('n', "nocache", "past the host's cache"),
              Option.value("cache", "MODE", "none, writeback, writethrough, directsync, unsafe"),
              Option.value("aio", "MODE", "threads, native or io_uring"),
              Option.value("discard", "MODE", "ignore or unmap"),
              Option.value("detect-zeroes", "MODE", "off, on or unmap"),
              Option.flag(
                  "image-opts", "FILE is a list of options: driver=qcow2,file.filename=x")));

  private NbdOptions() {}
}
