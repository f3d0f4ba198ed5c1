package hawser.tools.sandbox;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.sys.FileCalls;
import hawser.sys.Landlock;
import hawser.sys.NamespaceCalls;
import hawser.sys.PathCalls;
import hawser.sys.PrivilegeCalls;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.Seccomp;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The daemon's part of a {@link Sandbox}, in the order in which each step still can be made. */
final class Confinement {
  private static final int FOLDER = FileCalls.O_PATH | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC;

  private final Sandbox sandbox;
  private final List<String> inForce = new ArrayList<>();

  Confinement(Sandbox sandbox) {
    this.sandbox = sandbox;
  }

  Confined enter(Path share) {
    try {
      Path from = share;
      openModules();
      if (sandbox.mode().movesRoot()) {
        moveRoot(share);
        from = Path.of("/");
        inForce.add("sees nothing but the share (" + name(sandbox.mode()) + ")");
      }
      // What the launcher left for changing the root; the threads that serve come from this one.
      check(PrivilegeCalls.keepOnly(sandbox.capabilities()), "capabilities");
      long held = PrivilegeCalls.effective();
      inForce.add(
          held == 0
              ? "no capabilities"
              : "capabilities " + String.join(" ", Capability.names(held)));
      landlock(from);
      Seccomp.Action action = sandbox.seccomp();
      if (action == null) {
        inForce.add("system calls are not filtered");
      } else {
        check(Seccomp.confine(action), "seccomp");
        inForce.add("system calls are filtered (" + name(action) + ")");
      }
      return new Confined(from, "sandbox: " + String.join("; ", inForce));
    } catch (BlockFault e) {
      throw new UsageFault("Error entering sandbox: " + e.getMessage());
    }
  }

  private static void moveRoot(Path share) throws BlockFault {
    int keeper = Stage.current().keeper();
    if (keeper < 0) {
      holdDescriptors();
      check(NamespaceCalls.chroot(share.toString()), share.toString());
      return;
    }
    var talk = new Handshake(keeper);
    check(PrivilegeCalls.dieWithParent(ProcessCalls.SIGKILL), "prctl");
    boolean heard = talk.hear();
    holdDescriptors();
    talk.say();
    if (!heard || !talk.hear()) {
      // It has said why.
      throw new UsageFault("");
    }
    FileCalls.close(keeper);
  }

  /** Makes this process's descriptors its working directory, for /proc is out of reach soon. */
  private static void holdDescriptors() throws BlockFault {
    int folder = (int) check(FileCalls.open("/proc/self/fd", FOLDER, 0), "/proc/self/fd");
    check(NamespaceCalls.changeDirectory(folder), "/proc/self/fd");
    FileCalls.close(folder);
    PathCalls.workingDirectoryHasDescriptors();
  }

  /**
   * Opens the files that our classes are in, and Java's own, which the Java virtual machine
   * otherwise does when it needs the first one of each, or never where it starts from a cache; but
   * then there is what lies beside a class, as the description of all events. The digest of a state
   * needs its list of algorithms, which is a file too.
   */
  private static void openModules() {
    try {
      MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has it", e);
    }
    for (Module module : ModuleLayer.boot().modules()) {
      if (module.getName().startsWith("hawser.") || module.getName().equals("java.base")) {
        try (InputStream any = module.getResourceAsStream("module-info.class")) {
          if (any == null) {
            throw new AssertionError(module + " has no module-info.class");
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  private void landlock(Path share) throws BlockFault {
    int version = Landlock.version();
    if (sandbox.mode() == SandboxMode.NONE
        || sandbox.byHandle()
        || (version == 0 && sandbox.mode() != SandboxMode.LANDLOCK)) {
      inForce.add("no Landlock");
      return;
    }
    int folder = (int) check(FileCalls.open(share.toString(), FOLDER, 0), share.toString());
    check(Landlock.restrictTo(folder), "Landlock");
    FileCalls.close(folder);
    inForce.add("no file outside the share can be opened (Landlock, version " + version + ")");
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static long check(long result, String doing) throws BlockFault {
    return Result.orFault(result, doing);
  }
}
