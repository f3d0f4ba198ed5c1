package hawser.devices.console;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.Errno;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.PollSet;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A line on descriptors that do not wait: reading and writing wait here, and can be ended. */
abstract sealed class DescriptorLine implements ConsoleLine permits PtyLine, SocketLine {
  /** How long one write waits for a reader before what it has is lost. */
  private static final int STALL_MILLIS = 500;

  private static final short POLLOUT = 4;

  private final int ended = (int) EventFd.create();
  private final PollSet waiting = new PollSet(Arena.ofAuto(), 2);
  private volatile boolean stalled;

  DescriptorLine() {
    waiting.set(0, ended);
  }

  /** Waits until a descriptor is readable. False: the line is closed. */
  final boolean awaitReadable(int fd) {
    waiting.set(1, fd);
    waiting.await(-1);
    return !waiting.ready(0);
  }

  /** Reads what is there; empty at the end of a stream and where there is nothing. */
  static byte[] readNow(int fd, int most) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(most);
      long count = FileCalls.read(fd, into);
      return Result.failed(count) ? new byte[0] : into.asSlice(0, count).toArray(JAVA_BYTE);
    }
  }

  /** Writes all, or as much as somebody takes in time. */
  final void write(int fd, byte[] bytes) {
    byte[] left = bytes;
    try (var arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(bytes.length);
      while (left.length > 0) {
        MemorySegment.copy(left, 0, from, JAVA_BYTE, 0, left.length);
        long count = FileCalls.write(fd, from.asSlice(0, left.length));
        if (!Result.failed(count)) {
          stalled = false;
          left = Arrays.copyOfRange(left, (int) count, left.length);
        } else if (Result.errno(count) != Errno.EAGAIN
            || stalled
            || SocketCalls.poll(fd, POLLOUT, STALL_MILLIS) == 0) {
          stalled = Result.errno(count) == Errno.EAGAIN;
          return;
        }
      }
    }
  }

  @Override
  public final void end() {
    EventFd.signal(ended);
  }

  @Override
  public void close() {
    FileCalls.close(ended);
  }
}
