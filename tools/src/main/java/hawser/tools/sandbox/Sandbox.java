package hawser.tools.sandbox;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.sys.PrivilegeCalls;
import hawser.sys.Result;
import hawser.sys.Seccomp;
import hawser.sys.Spawn;
import hawser.sys.ThreadCalls;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How a daemon that shares a folder confines itself, in two stages, for what a thread gives up
 * outlasts execve(2) while the threads of a Java virtual machine cannot give it up together.
 *
 * <ol>
 *   <li>The launcher ({@link #launch}) drops capabilities, makes namespaces, and starts or becomes
 *       the daemon: all threads of the Java virtual machine there have no more from their
 *       beginning.
 *   <li>The daemon opens whatever the Java virtual machine needs, and then lets all else go ({@link
 *       #enter}): the shared folder becomes its root, and system calls are filtered for all of its
 *       threads. Threads that serve a guest are started after that.
 * </ol>
 *
 * @param mode which files are within reach
 * @param seccomp what becomes of a system call that no daemon makes; null filters nothing
 * @param capabilities those to keep, one bit each
 * @param byHandle files are opened by handles, without a path that Landlock could judge: it is not
 *     used then
 * @param users user numbers in the namespace; empty maps only our own, to itself
 * @param groups the same of groups
 */
public record Sandbox(
    SandboxMode mode,
    Seccomp.@Nullable Action seccomp,
    long capabilities,
    boolean byHandle,
    List<IdMapping> users,
    List<IdMapping> groups) {

  /**
   * The capabilities that {@code --modcaps} asks for; null is no such option.
   *
   * @param byHandle whether files are opened by their handles, which takes one more
   */
  public static long capabilities(@Nullable String modcaps, boolean byHandle) {
    long usual = Capability.FOR_FILES | (byHandle ? Capability.DAC_READ_SEARCH.bit() : 0);
    long kept = modcaps == null ? usual : Capability.modified(usual, modcaps);
    if ((usual & ~kept & Capability.DAC_READ_SEARCH.bit()) != 0) {
      throw new UsageFault("can't disable DAC_READ_SEARCH when using --inode-file-handles");
    }
    return kept;
  }

  /** Lets this process be the daemon at once, with the rights that it has: for a rehearsal. */
  public static void skipLauncher() {
    Stage.skipLauncher();
  }

  /** Whether no earlier stage has started this process. */
  public static boolean isFirstStage() {
    return Stage.current().isFirst();
  }

  /** Whether this process is the one that supervises others. */
  public static boolean isSupervisor() {
    return Stage.current().isSupervisor();
  }

  /**
   * Becomes the process that supervises daemons in this sandbox, with the capabilities that the way
   * into it takes and no others.
   *
   * @param socket the descriptor that it gets, as {@link #socketOfStage}
   * @return never; the type is for the compiler's sake
   */
  public UsageFault becomeSupervisor(int socket) {
    Stage stage = Stage.supervisor(socket);
    // The namespaces of somebody who is not root may take programs that have more rights than he.
    return PrivilegeCalls.effective() == 0
        ? Stage.become(List.of(), stage)
        : Stage.become(capabilities | mode.entrance(), stage);
  }

  /**
   * Starts this program once more with the same command line, to serve while this process
   * supervises it; answers the process's number.
   *
   * @param channel the one descriptor that it gets, as {@link #socketOfStage}
   */
  public static int startSupervised(int channel) throws BlockFault {
    Stage.keepOpen(channel, channel);
    List<String> command = Stage.supervised(channel).command();
    long process = Spawn.start(command, Stage.environment(), channel, channel);
    return (int) Result.orFault(process, command.getFirst());
  }

  /** The socket that an earlier stage has opened for this one, or -1. */
  public static int socketOfStage() {
    return Stage.current().socket();
  }

  /**
   * Starts or becomes the daemon that is to serve; empty when this process is it.
   *
   * @param share the shared folder
   * @param socket an open descriptor that the daemon is to have
   * @param leftovers sockets to remove when a daemon has ended that cannot see them
   * @return the daemon's exit code
   */
  public OptionalInt launch(Path share, int socket, List<Path> leftovers) {
    Parent.dieWith();
    Stage stage = Stage.current();
    if (stage.isDaemon()) {
      return OptionalInt.empty();
    }
    boolean root = ThreadCalls.userId() == 0;
    if (!(users.isEmpty() && groups.isEmpty())
        && (mode != SandboxMode.NAMESPACE || (root && !stage.isMapped()))) {
      throw new UsageFault(
          "Error entering sandbox: --uid-map and --gid-map are for other users than root, with"
              + " '--sandbox namespace'");
    }
    return switch (mode) {
      case NAMESPACE -> {
        if (!root && !stage.isMapped()) {
          throw new UserNamespace(users, groups).become(socket);
        }
        yield OptionalInt.of(new Keeper(share, capabilities, socket, leftovers).run());
      }
      case CHROOT -> {
        if (!root) {
          throw new UsageFault(
              "Error entering sandbox: sandbox mode 'chroot' can only be used by root"
                  + " (Use '--sandbox namespace' instead)");
        }
        throw Stage.become(capabilities | Capability.SYS_CHROOT.bit(), socket);
      }
      case LANDLOCK, NONE -> {
        if ((PrivilegeCalls.effective() & ~capabilities) != 0) {
          throw Stage.become(capabilities, socket);
        }
        yield OptionalInt.empty();
      }
    };
  }

  /**
   * Confines this process, which is the daemon, and the calling thread more than the others: all
   * that serve must be started by it afterwards. Files that others than the guest name must be open
   * by then.
   */
  public Confined enter(Path share) {
    return new Confinement(this).enter(share);
  }
}
