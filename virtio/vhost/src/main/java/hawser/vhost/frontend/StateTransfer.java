package hawser.vhost.frontend;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.StateDirection;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Moves the internal state of suspended devices (vhost-user, "Migrating back-end state"). Both
 * back-ends must have DEVICE_STATE agreed and every ring stopped.
 */
public final class StateTransfer {
  /** The longest state that is kept in this process, bytes: far more than any small device has. */
  public static final int STATE_BYTES_MAX = 64 << 20;

  private static final int PIECE_BYTES = 1 << 16;

  private StateTransfer() {}

  /** Takes the state of a device; a fault if it cannot be saved. */
  public static byte[] save(FrontEnd source) throws BlockFault {
    int[] pipe = pipe();
    int reading = pipe[0];
    try {
      int instead;
      try {
        instead = source.setDeviceStateFd(StateDirection.SAVE, pipe[1]);
      } finally {
        FileCalls.close(pipe[1]);
      }
      reading = instead(instead, reading);
      byte[] state = readAll(reading);
      check(source, "SAVE");
      return state;
    } finally {
      FileCalls.close(reading);
    }
  }

  /** Gives a device a state; a fault if it does not accept it. */
  public static void load(FrontEnd destination, byte[] state) throws BlockFault {
    int[] pipe = pipe();
    int writing = pipe[1];
    try {
      int instead;
      try {
        instead = destination.setDeviceStateFd(StateDirection.LOAD, pipe[0]);
      } finally {
        FileCalls.close(pipe[0]);
      }
      writing = instead(instead, writing);
      writeAll(writing, state);
    } finally {
      FileCalls.close(writing);
    }
    check(destination, "LOAD");
  }

  private static int[] pipe() throws BlockFault {
    int[] pair = new int[2];
    Result.orFault(FileCalls.pipe(pair), "pipe");
    return pair;
  }

  private static int instead(int other, int ours) {
    if (other == Descriptors.NONE) {
      return ours;
    }
    FileCalls.close(ours);
    return other;
  }

  private static void check(FrontEnd side, String doing) {
    long answer = side.checkDeviceState();
    if (answer != 0) {
      throw new PeerFault("CHECK_DEVICE_STATE after %s: %d, not 0".formatted(doing, answer));
    }
  }

  private static byte[] readAll(int fd) throws BlockFault {
    var state = new ByteArrayOutputStream();
    try (var arena = Arena.ofConfined()) {
      MemorySegment piece = arena.allocate(PIECE_BYTES);
      long count = Result.orFault(FileCalls.read(fd, piece), "reading the state");
      while (count > 0) {
        if (state.size() + count > STATE_BYTES_MAX) {
          throw new PeerFault("the state has more than %d bytes".formatted(STATE_BYTES_MAX));
        }
        state.writeBytes(piece.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
        count = Result.orFault(FileCalls.read(fd, piece), "reading the state");
      }
    }
    return state.toByteArray();
  }

  private static void writeAll(int fd, byte[] state) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment whole = arena.allocateFrom(ValueLayout.JAVA_BYTE, state);
      long done = 0;
      while (done < state.length) {
        done += Result.orFault(FileCalls.write(fd, whole.asSlice(done)), "writing the state");
      }
    }
  }
}
