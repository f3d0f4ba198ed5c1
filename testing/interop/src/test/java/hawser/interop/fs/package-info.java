/** virtio-fs: virtiofsd and ours, by a guest's side that is our own. */
@org.jspecify.annotations.NullMarked
package hawser.interop.fs;
