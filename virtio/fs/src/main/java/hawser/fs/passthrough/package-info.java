/** A folder of the host's as a FUSE file system. */
@org.jspecify.annotations.NullMarked
package hawser.fs.passthrough;
