/** The virtio block device: a block node as the disk of a guest. */
@NullMarked
package hawser.blk;

import org.jspecify.annotations.NullMarked;
