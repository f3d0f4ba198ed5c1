/** The virtio file system device: what all its parts share. */
@org.jspecify.annotations.NullMarked
package hawser.fs;
