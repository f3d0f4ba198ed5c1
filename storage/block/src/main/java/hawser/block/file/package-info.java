/** Disks that are files or block devices of this machine, and the locks that guard them. */
@org.jspecify.annotations.NullMarked
package hawser.block.file;
