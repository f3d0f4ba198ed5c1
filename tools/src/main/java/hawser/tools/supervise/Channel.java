package hawser.tools.supervise;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.MessageHeader;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Between a supervisor and its worker: descriptors under their keys, both ways. Any thread sends,
 * one receives. Whoever sends waits for no answer: what is sent outlives its sender.
 *
 * @param fd a connected unix stream socket
 */
record Channel(int fd) {
  private static final int WORD_BYTES = 2 * Long.BYTES;
  private static final int NOTHING = -1;

  /** What one message is about. */
  enum Word {
    /** A descriptor comes along, to be kept. */
    KEEP(1),
    /** That of this key is not needed any more. */
    DROP(2),
    /** All that a predecessor left has been said. */
    END(3);

    private final long number;

    Word(long number) {
      this.number = number;
    }

    private static Word of(long number) throws BlockFault {
      for (Word word : values()) {
        if (word.number == number) {
          return word;
        }
      }
      throw BlockFault.of(Errno.EPROTO, "supervision: word %d".formatted(number));
    }
  }

  /**
   * A message.
   *
   * @param key of the descriptor
   * @param descriptor the receiver's from now on, or -1
   */
  record Message(Word word, long key, int descriptor) {}

  /** Sends a message; false when the other side is gone. The descriptor stays the caller's. */
  boolean send(Word word, long key, int... descriptor) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment words = arena.allocate(WORD_BYTES, Long.BYTES);
      words.set(ValueLayout.JAVA_LONG, 0, word.number);
      words.set(ValueLayout.JAVA_LONG, Long.BYTES, key);
      var message = new MessageHeader(arena, 1, 1);
      message.pieces().add(words);
      message.attach(descriptor);
      // Sixteen bytes go in one piece or not at all.
      return SocketCalls.sendMessage(fd, message) == WORD_BYTES;
    }
  }

  /** The next message; null when the other side is gone. */
  @Nullable Message receive() throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment words = arena.allocate(WORD_BYTES, Long.BYTES);
      var message = new MessageHeader(arena, 1, 1);
      message.pieces().add(words);
      message.expectDescriptors();
      long count = SocketCalls.receiveMessage(fd, message, 0);
      if (count == 0 || count == -Errno.ECONNRESET.number()) {
        return null;
      }
      Result.orFault(count, "supervision");
      int[] received = message.received();
      if (count != WORD_BYTES) {
        throw BlockFault.of(Errno.EPROTO, "supervision: a message of %d bytes".formatted(count));
      }
      int descriptor = received.length == 0 ? NOTHING : received[0];
      long key = words.get(ValueLayout.JAVA_LONG, Long.BYTES);
      return new Message(Word.of(words.get(ValueLayout.JAVA_LONG, 0)), key, descriptor);
    }
  }
}
