package hawser.fs.passthrough;

/**
 * A file or directory that the guest holds open.
 *
 * @param handle what the guest names it by
 * @param inode which inode it is
 * @param flags what it was opened with, as the guest said it, without O_CREAT, O_EXCL and O_TRUNC
 * @param descriptor the open file
 * @param listing of a directory: what of it has been read ahead
 */
record OpenFile(long handle, Inode inode, int flags, Descriptor descriptor, Listing listing) {}
