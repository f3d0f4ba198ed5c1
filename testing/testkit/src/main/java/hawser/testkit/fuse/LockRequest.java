package hawser.testkit.fuse;

/**
 * A lock that a guest's process wants.
 *
 * @param owner the process, or for flock(2) the open file
 * @param end the last byte
 * @param type as fcntl(2) has it: {@link #READ}, {@link #WRITE} or {@link #UNLOCK}
 * @param flock whether it is flock(2)'s
 */
public record LockRequest(long owner, long start, long end, int type, boolean flock) {
  public static final int READ = 0;
  public static final int WRITE = 1;
  public static final int UNLOCK = 2;

  /** The last byte of a file that may grow. */
  public static final long END = Long.MAX_VALUE;

  /** A byte-range lock. */
  public static LockRequest range(long owner, int type, long start, long end) {
    return new LockRequest(owner, start, end, type, false);
  }

  /** A lock of flock(2). */
  public static LockRequest whole(long owner, int type) {
    return new LockRequest(owner, 0, END, type, true);
  }

  Request encode(Request request) {
    return request.u64(owner).u64(start).u64(end).u32(type).u32(1).u32(flock ? 1 : 0).u32(0);
  }
}
