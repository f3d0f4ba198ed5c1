package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.nbd.Command;
import hawser.nbd.NbdError;
import hawser.sys.SharedView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One request and what has come back for it. May be used again once it is done. The submitting
 * thread fills it; from then on it belongs to whoever receives, until it is done.
 */
public final class Exchange {
  /** Is told when an exchange is done, on the thread that received the end of it. */
  @FunctionalInterface
  public interface Completion {
    /** The exchange is done; must not wait for other exchanges of the same connection. */
    void done(Exchange exchange);
  }

  private static final int PARTS = 4;

  Command command = Command.UNKNOWN;
  int flags;
  long offset;
  long length;
  MemorySegment data = MemorySegment.NULL;
  @Nullable StatusSink sink;
  @Nullable Completion completion;
  long cookie;

  private volatile boolean done;
  private int error;
  private String errorText = "";
  private @Nullable PeerFault broken;
  private long[] from = new long[PARTS];
  private long[] to = new long[PARTS];
  private int parts;
  private long covered;

  /** A request to be filled in. */
  public Exchange() {}

  /** Asks for bytes into all of {@code into}. */
  public Exchange read(MemorySegment into, long at, int commandFlags) {
    return set(Command.READ, commandFlags, at, into.byteSize(), into);
  }

  /** Sends all bytes of {@code bytes}. */
  public Exchange write(MemorySegment bytes, long at, int commandFlags) {
    return set(Command.WRITE, commandFlags, at, bytes.byteSize(), bytes);
  }

  /** Asks for something that carries no data. */
  public Exchange other(Command kind, long at, long bytes, int commandFlags) {
    return set(kind, commandFlags, at, bytes, MemorySegment.NULL);
  }

  /** Asks for the status of a range. */
  public Exchange status(long at, long bytes, int commandFlags, StatusSink into) {
    set(Command.BLOCK_STATUS, commandFlags, at, bytes, MemorySegment.NULL);
    sink = into;
    return this;
  }

  /** Whom to tell. */
  public Exchange whenDone(Completion told) {
    completion = told;
    return this;
  }

  private Exchange set(Command kind, int how, long at, long bytes, MemorySegment memory) {
    command = kind;
    flags = how;
    offset = at;
    length = bytes;
    // Whoever receives fills it, which need not be the thread that owns it.
    data = SharedView.of(memory);
    sink = null;
    done = false;
    error = 0;
    errorText = "";
    broken = null;
    parts = 0;
    covered = 0;
    return this;
  }

  /** Makes a lost request ready to be sent once more. */
  void again() {
    StatusSink kept = sink;
    set(command, flags, offset, length, data);
    sink = kept;
  }

  /** First byte asked about. */
  public long offset() {
    return offset;
  }

  /** How many bytes were asked about. */
  public long length() {
    return length;
  }

  /** Whether the answer is complete, or the connection is lost. */
  public boolean isDone() {
    return done;
  }

  /** Whether the connection was lost before the answer was complete. */
  public boolean lost() {
    return broken != null;
  }

  /**
   * Nothing, or what the server refused it with.
   *
   * @throws BlockFault the server's error and words; EIO when the connection was lost
   */
  public void orFault() throws BlockFault {
    PeerFault lost = broken;
    if (lost != null) {
      throw new BlockFault(Errno.EIO, String.valueOf(lost.getMessage()), lost);
    }
    if (error != 0) {
      var errno = NbdError.errno(error);
      throw new BlockFault(errno, errorText.isEmpty() ? errno.text() : errorText);
    }
  }

  /** The server reports an error; the first one counts. */
  void error(int number, String text) {
    if (error == 0) {
      error = number == 0 ? NbdError.EINVAL.number() : number;
      errorText = text;
    }
  }

  /**
   * Notes that a part of a read is here; parts may come in any order but not twice (proto.md,
   * "Structured replies").
   */
  void cover(long at, long bytes) {
    if (at < offset || bytes < 1 || at - offset > length || bytes > length - (at - offset)) {
      throw new PeerFault("Protocol error: server sent chunk exceeding requested region");
    }
    for (int i = 0; i < parts; i++) {
      if (at < to[i] && from[i] < at + bytes) {
        throw new PeerFault("Protocol error: server sent overlapping chunks");
      }
    }
    covered += bytes;
    for (int i = 0; i < parts; i++) {
      if (to[i] == at) {
        to[i] = at + bytes;
        return;
      }
      if (from[i] == at + bytes) {
        from[i] = at;
        return;
      }
    }
    if (parts == from.length) {
      from = Arrays.copyOf(from, parts * 2);
      to = Arrays.copyOf(to, parts * 2);
    }
    from[parts] = at;
    to[parts++] = at + bytes;
  }

  /** The last chunk is here: a read without an error must be whole. */
  void checkCovered() {
    if (command == Command.READ && error == 0 && covered != length) {
      throw new PeerFault(
          "Protocol error: read reply covers %d of %d bytes".formatted(covered, length));
    }
  }

  /** The answer is complete. */
  void finish() {
    end();
  }

  /** The connection is lost. */
  void lose(PeerFault why) {
    broken = why;
    end();
  }

  private void end() {
    done = true;
    Completion told = completion;
    if (told != null) {
      told.done(this);
    }
  }
}
