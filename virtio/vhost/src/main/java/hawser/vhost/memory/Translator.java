package hawser.vhost.memory;

/**
 * Guest addresses to host addresses, for one thread: most lookups find the region of the one
 * before.
 */
public final class Translator {
  private MemoryTable table = MemoryTable.EMPTY;
  private int last;
  private long host;

  /** Without any memory yet. */
  public Translator() {}

  /** Uses another table from now on. */
  public void use(MemoryTable newTable) {
    table = newTable;
    last = 0;
  }

  /**
   * Finds a guest address; its place is then {@link #host}. Answers how many of {@code bytes} lie
   * there one after the other, 0 when the address is in no region.
   */
  public long find(long guestAddress, long bytes) {
    int region = table.region(guestAddress, last);
    if (region < 0) {
      return 0;
    }
    last = region;
    host = table.hostAddress(region, guestAddress);
    return Math.min(bytes, table.left(region, guestAddress));
  }

  /** The host address of what {@link #find} found. */
  public long host() {
    return host;
  }
}
