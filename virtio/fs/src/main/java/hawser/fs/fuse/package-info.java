/**
 * The FUSE vocabulary to version 7.42, as the Linux kernel's {@code uapi/linux/fuse.h} has it:
 * requests are read, replies are written. Numbers are little endian, as virtio-fs wants them.
 */
@org.jspecify.annotations.NullMarked
package hawser.fs.fuse;
