package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlkdebugEvent;
import hawser.block.Breakpoints;
import java.util.List;
import java.util.Optional;

/** {@code break}, {@code remove_break}, {@code resume} and {@code wait_break}, for blkdebug. */
final class DebugCommands {
  private DebugCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
            "break",
            "event tag",
            "sets a breakpoint on event and tags the stopped request as tag",
            2,
            2,
            DebugCommands::set),
        IoCommand.of(
            "remove_break", "tag", "remove a breakpoint by tag", 1, 1, DebugCommands::remove),
        IoCommand.of(
            "resume", "tag", "resumes the request tagged as tag", 1, 1, DebugCommands::resume),
        IoCommand.of(
            "wait_break",
            "tag",
            "waits for the suspension of a request",
            1,
            1,
            DebugCommands::await));
  }

  /** The blkdebug node of the open disk: the first one on the way down. */
  private static Breakpoints breakpoints(IoSession session) throws BlockFault {
    Breakpoints found =
        session
            .node()
            .breakpoints()
            .orElseThrow(() -> BlockFault.of(Errno.EOPNOTSUPP, "no blkdebug node"));
    found.listen(text -> session.flights().say(() -> session.io().line(text)));
    return found;
  }

  private static boolean set(IoSession session, Words words) {
    try {
      Breakpoints breakpoints = breakpoints(session);
      Optional<BlkdebugEvent> event = BlkdebugEvent.named(words.get(0));
      if (event.isEmpty()) {
        throw BlockFault.of(Errno.ENOENT, "no such event");
      }
      breakpoints.set(event.get(), words.get(1));
      return true;
    } catch (BlockFault e) {
      session.io().line("Could not set breakpoint: " + e.errno().text());
      return false;
    }
  }

  private static boolean remove(IoSession session, Words words) {
    try {
      breakpoints(session).remove(words.get(0));
      session.flights().report();
      return true;
    } catch (BlockFault e) {
      session
          .io()
          .line("Could not remove breakpoint %s: %s".formatted(words.get(0), e.errno().text()));
      return false;
    }
  }

  private static boolean resume(IoSession session, Words words) {
    try {
      breakpoints(session).resume(words.get(0));
      session.flights().report();
      return true;
    } catch (BlockFault e) {
      session.io().line("Could not resume request: " + e.errno().text());
      return false;
    }
  }

  private static boolean await(IoSession session, Words words) throws BlockFault {
    breakpoints(session).await(words.get(0));
    session.flights().report();
    return true;
  }
}
