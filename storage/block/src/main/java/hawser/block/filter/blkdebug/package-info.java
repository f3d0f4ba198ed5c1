/**
 * QEMU's blkdebug: requests that fail, wait or stop when a format comes to a named point of its
 * work.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.filter.blkdebug;
