package hawser.tools.sandbox;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.sys.FileCalls;
import hawser.sys.NamespaceCalls;
import hawser.sys.PrivilegeCalls;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.sys.Spawn;
import hawser.tools.StaleSocket;
import hawser.tools.StopSignal;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * The process that stays outside when a daemon goes into namespaces: it starts the daemon, takes
 * all but the shared folder away when the daemon is ready, passes signals on, and ends as the
 * daemon does.
 */
final class Keeper {
  private static final int NAMESPACES =
      NamespaceCalls.CLONE_NEWNS | NamespaceCalls.CLONE_NEWIPC | NamespaceCalls.CLONE_NEWNET;

  private final String share;
  private final long capabilities;
  private final int socket;
  private final List<Path> leftovers;
  private final CompletableFuture<Integer> child = new CompletableFuture<>();
  private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();

  /** Whether the daemon runs so far that it handles signals. */
  private volatile boolean ready;

  private volatile @Nullable String failure;

  Keeper(Path share, long capabilities, int socket, List<Path> leftovers) {
    this.share = share.toString();
    this.capabilities = capabilities;
    this.socket = socket;
    this.leftovers = leftovers;
  }

  /** Returns the daemon's exit code when it has ended. */
  int run() {
    try (var stop = new StopSignal()) {
      Thread.ofPlatform().daemon().name("keeper").start(() -> keep(stop));
      stop.await();
      if (!exitCode.isDone()) {
        // The first process of a namespace is not reached by signals that it does not handle yet.
        ProcessCalls.signal(child.join(), ready ? ProcessCalls.SIGTERM : ProcessCalls.SIGKILL);
      }
      int code = exitCode.join();
      leftovers.forEach(StaleSocket::forget);
      stop.exitWith(code);
      return code;
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the main thread", e);
    } catch (CompletionException e) {
      throw new UsageFault("Error entering sandbox: " + failure);
    }
  }

  /** On a thread with mounts and a root of its own; the rest of this process keeps its view. */
  private void keep(StopSignal stop) {
    var pair = new int[2];
    try {
      check(NamespaceCalls.unshare(NAMESPACES), "namespaces");
      check(NamespaceCalls.hideMounts(), "mounts");
      check(NamespaceCalls.mountOnItself(share), share);
      check(SocketCalls.socketPair(pair), "socketpair");
      Stage.keepOpen(pair[1], socket);
      // A thread that starts processes in a namespace of numbers cannot start threads any more;
      // one that gives up its capabilities could not mount.
      Thread.ofPlatform().daemon().name("keeper-start").start(() -> startAndWait(pair[1], stop));
      int pid = child.join();
      FileCalls.close(pair[1]);
      // So that nothing is above its own descriptors when it holds on to them.
      check(NamespaceCalls.mountOnItself("/proc/%d/fd".formatted(pid)), "/proc");
      var talk = new Handshake(pair[0]);
      talk.say();
      ready = talk.hear();
      if (ready) {
        check(NamespaceCalls.becomeRoot(share), "cannot make the share the root");
        talk.say();
      }
    } catch (BlockFault e) {
      failed(e, stop);
    } catch (CompletionException e) {
      // It could not be started, and has been told of.
      return;
    } finally {
      FileCalls.close(pair[0]);
    }
  }

  /** Starts the daemon; it is to end when this thread does. */
  private void startAndWait(int handshake, StopSignal stop) {
    try {
      check(NamespaceCalls.unshare(NamespaceCalls.CLONE_NEWPID), "process numbers");
      check(PrivilegeCalls.keepOnly(capabilities), "capabilities");
      List<String> command = Stage.kept(handshake, socket).command();
      long pid =
          check(
              Spawn.start(command, Stage.environment(), handshake, handshake), command.getFirst());
      child.complete((int) pid);
      exitCode.complete(ProcessCalls.waitFor((int) pid));
      stop.stop();
    } catch (BlockFault e) {
      failed(e, stop);
    }
  }

  private void failed(BlockFault why, StopSignal stop) {
    failure = why.getMessage();
    exitCode.completeExceptionally(why);
    child.completeExceptionally(why);
    stop.stop();
  }

  private static long check(long result, String doing) throws BlockFault {
    return Result.orFault(result, doing);
  }
}
