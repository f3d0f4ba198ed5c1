package hawser.fs.state;

import hawser.fs.Name;

/**
 * An inode that the guest knows, or a directory on the way to one.
 *
 * @param nodeId what the guest names it by
 * @param lookups how often the guest has been told of it; 0 for a directory that is only on the way
 * @param type its type, as in st_mode; 0 where it is not known
 * @param identity what tells it from other files
 * @param visibleInode the number that the guest's programs see
 * @param needed it is in use: without it the guest could not go on as before
 * @param fileHandle its file handle, type first, where one is known; otherwise empty
 * @param location where it is
 */
public record SavedInode(
    long nodeId,
    long lookups,
    int type,
    Identity identity,
    long visibleInode,
    boolean needed,
    Name fileHandle,
    Location location) {}
