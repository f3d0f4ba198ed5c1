/**
 * Carries FUSE requests from virtqueues to a file system and replies back. Knows nothing of files.
 */
@org.jspecify.annotations.NullMarked
package hawser.fs.dispatch;
