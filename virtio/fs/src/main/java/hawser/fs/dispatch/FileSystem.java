package hawser.fs.dispatch;

import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.TransferIn;
import hawser.sys.Iovecs;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.OptionalLong;

/**
 * What serves FUSE requests. Called by several threads at once; each call is answered by its
 * result. Reading and writing of files' content go their own way, past all objects.
 */
public interface FileSystem extends AutoCloseable {
  /**
   * A kernel mounts: whatever an earlier one has left is forgotten. Answers {@link
   * FuseReply.Agreed} or {@link FuseReply.Failed}.
   */
  FuseReply init(FuseRequest.Init init);

  /** The kernel has unmounted, or is gone: nothing that it knows counts any more. */
  void destroy();

  /**
   * The flags that a kernel has agreed to with a daemon in whose place this one is; nothing
   * otherwise.
   */
  OptionalLong agreedBefore();

  /** Serves a request other than INIT, DESTROY and INTERRUPT. */
  FuseReply handle(Call call, FuseRequest request);

  /**
   * Reads from an open file into all of {@code into}, less only at the file's end.
   *
   * @param mayWait for a disk, say; otherwise what would wait is answered with EAGAIN, with any of
   *     {@code into} filled or not
   * @return bytes or a negated error number
   */
  long read(long handle, long offset, Iovecs into, boolean mayWait);

  /**
   * Writes all of {@code from} to an open file.
   *
   * @param unique the request's number, by which it is known again if it is served twice
   * @param flags of {@link TransferIn}
   * @return bytes or a negated error number
   */
  long write(long unique, long handle, long offset, int flags, Iovecs from);

  /** The guest is going to leave, and still runs: a good moment to get ready. Returns at once. */
  void prepare();

  /** It stays after all. */
  void cancel();

  /** Why the state could not be saved now, in words; empty when it could. No queue works. */
  List<String> obstacles() throws IOException;

  /** Writes all that the guest knows, for another daemon. No queue works. */
  void save(OutputStream to) throws IOException;

  /**
   * Takes over a guest from another daemon, or stays empty when that fails. No queue works.
   *
   * @return the flags that its kernel agreed to; nothing when it has not mounted
   */
  OptionalLong load(InputStream from) throws IOException;

  /** Queues begin to work, perhaps after a state was saved and never used. */
  void resumed();

  @Override
  void close();
}
