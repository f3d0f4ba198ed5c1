package hawser.testkit.fuse;

/** The guest's process in whose name a request is made. */
public record Caller(int uid, int gid, int pid) {
  /** The guest's first process. */
  public static final Caller ROOT = new Caller(0, 0, 1);
}
