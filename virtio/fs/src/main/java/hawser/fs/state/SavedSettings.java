package hawser.fs.state;

/**
 * What guest and daemon have agreed on, and where their counting goes on.
 *
 * @param mounted whether a guest's kernel has mounted the share
 * @param agreed the flags of INIT, both words
 * @param nextNode the next inode's number
 * @param nextHandle the next open file's number
 */
public record SavedSettings(boolean mounted, long agreed, long nextNode, long nextHandle) {}
