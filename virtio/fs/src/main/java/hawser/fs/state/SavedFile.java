package hawser.fs.state;

/**
 * A file or directory that the guest holds open.
 *
 * @param handle what the guest names it by
 * @param nodeId which inode it is
 * @param flags what it was opened with, without those that make or cut a file
 */
public record SavedFile(long handle, long nodeId, int flags) {}
