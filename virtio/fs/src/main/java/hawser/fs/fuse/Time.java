package hawser.fs.fuse;

/**
 * A moment.
 *
 * @param seconds since 1970, negative before
 * @param nanos 0 to 999,999,999 further
 */
public record Time(long seconds, int nanos) {}
