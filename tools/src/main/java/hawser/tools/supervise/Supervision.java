package hawser.tools.supervise;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.journal.DescriptorStore;
import hawser.fs.journal.Succession;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.tools.supervise.Channel.Message;
import hawser.tools.supervise.Channel.Word;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A worker's end of the channel to its supervisor, which keeps descriptors for a successor. When
 * the supervisor is gone nobody keeps anything; the worker then ends too, for its front-end is gone
 * with it.
 */
public final class Supervision implements DescriptorStore {
  /** The connection to the front-end, or to who stands between. */
  static final long SOCKET_KEY = 0;

  /** The mount namespace in which the descriptors that are kept were opened. */
  private static final long MOUNTS_KEY = 1;

  private final Channel channel;
  private final Map<Long, Integer> left = new HashMap<>();
  private final int socket;
  private final @Nullable Integer mounts;

  private Supervision(Channel channel) throws BlockFault {
    this.channel = channel;
    for (Message next = next(); next.word() == Word.KEEP; next = next()) {
      left.put(next.key(), next.descriptor());
    }
    Integer connection = left.remove(SOCKET_KEY);
    if (connection == null) {
      throw new BlockFault(Errno.EPROTO, "supervision: no socket");
    }
    this.socket = connection;
    this.mounts = left.remove(MOUNTS_KEY);
  }

  /** Begins to work: takes over what a predecessor has left. */
  public static Supervision over(int channel) throws BlockFault {
    return new Supervision(new Channel(channel));
  }

  private Message next() throws BlockFault {
    Message next = channel.receive();
    if (next == null) {
      throw new BlockFault(Errno.ECONNRESET, "supervision");
    }
    return next;
  }

  /** The connected socket to serve. */
  public int socket() {
    return socket;
  }

  /** Whether this takes the place of another worker, which died. */
  public boolean isSuccessor() {
    return !left.isEmpty();
  }

  /** What the file system needs to go on, and to let others go on. */
  public Succession succession() {
    return new Succession(this, left);
  }

  /**
   * Lets the mounts outlive this process that it sees now: directories are kept that lie on them,
   * and what is mounted below would be unmounted with the last process that sees it.
   */
  public void keepMounts() throws BlockFault {
    if (mounts == null) {
      long fd = FileCalls.open("/proc/self/ns/mnt", FileCalls.O_RDONLY | FileCalls.O_CLOEXEC, 0);
      int own = (int) Result.orFault(fd, "cannot keep the mounts");
      keep(MOUNTS_KEY, own);
      FileCalls.close(own);
    } else {
      FileCalls.close(mounts);
    }
  }

  @Override
  public void keep(long key, int fd) {
    boolean _ = channel.send(Word.KEEP, key, fd);
  }

  @Override
  public void drop(long key) {
    boolean _ = channel.send(Word.DROP, key);
  }
}
