package hawser.tools.sandbox;

import hawser.base.UsageFault;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What root may do, piece by piece, in the order of the kernel's numbers (capabilities(7)). */
public enum Capability {
  CHOWN,
  DAC_OVERRIDE,
  DAC_READ_SEARCH,
  FOWNER,
  FSETID,
  KILL,
  SETGID,
  SETUID,
  SETPCAP,
  LINUX_IMMUTABLE,
  NET_BIND_SERVICE,
  NET_BROADCAST,
  NET_ADMIN,
  NET_RAW,
  IPC_LOCK,
  IPC_OWNER,
  SYS_MODULE,
  SYS_RAWIO,
  SYS_CHROOT,
  SYS_PTRACE,
  SYS_PACCT,
  SYS_ADMIN,
  SYS_BOOT,
  SYS_NICE,
  SYS_RESOURCE,
  SYS_TIME,
  SYS_TTY_CONFIG,
  MKNOD,
  LEASE,
  AUDIT_WRITE,
  AUDIT_CONTROL,
  SETFCAP,
  MAC_OVERRIDE,
  MAC_ADMIN,
  SYSLOG,
  WAKE_ALARM,
  BLOCK_SUSPEND,
  AUDIT_READ,
  PERFMON,
  BPF,
  CHECKPOINT_RESTORE;

  /** What serving files of several users takes; virtiofsd 1.13 keeps the same. */
  static final long FOR_FILES =
      CHOWN.bit()
          | DAC_OVERRIDE.bit()
          | FOWNER.bit()
          | FSETID.bit()
          | SETGID.bit()
          | SETUID.bit()
          | MKNOD.bit()
          | SETFCAP.bit();

  @SuppressWarnings("EnumOrdinal") // the kernel's numbers have no gaps
  long bit() {
    return 1L << ordinal();
  }

  /**
   * What is kept when a user adds and takes away: {@code +sys_admin:-chown}.
   *
   * @param usual what would be kept otherwise
   * @throws UsageFault in virtiofsd's words
   */
  static long modified(long usual, String text) {
    long kept = usual;
    for (String each : text.split(":", -1)) {
      char action = each.isEmpty() ? ' ' : each.charAt(0);
      if (action != '+' && action != '-') {
        throw new UsageFault(
            "invalid modcap action: expecting '+'|'-' but found '%s'".formatted(action));
      }
      long bit = named(each.substring(1)).bit();
      kept = action == '+' ? kept | bit : kept & ~bit;
    }
    return kept;
  }

  private static Capability named(String text) {
    String name = text.toUpperCase(Locale.ROOT);
    for (Capability each : values()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    throw new UsageFault(
        "invalid capability '%s': failed to get the ID for the capability with name %s"
            .formatted(name, name));
  }

  /** Names of those in a set, as {@code --modcaps} takes them. */
  static List<String> names(long set) {
    var names = new ArrayList<String>();
    for (Capability each : values()) {
      if ((set & each.bit()) != 0) {
        names.add(each.name().toLowerCase(Locale.ROOT));
      }
    }
    return names;
  }
}
