package hawser.block;

/**
 * One internal snapshot, as an image's snapshot table has it.
 *
 * @param id its id, usually a small number
 * @param name its name
 * @param vmStateBytes how much of it is a machine's state
 * @param seconds when it was taken, seconds since 1970
 * @param nanoseconds and nanoseconds, 0 to 999999999
 * @param vmClockNanos how long the machine had run, in nanoseconds
 * @param icount how many instructions it had executed, or -1 when not counted
 */
public record SnapshotInfo(
    String id,
    String name,
    long vmStateBytes,
    long seconds,
    int nanoseconds,
    long vmClockNanos,
    long icount) {}
