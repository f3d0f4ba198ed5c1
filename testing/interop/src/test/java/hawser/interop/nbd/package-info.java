/** NBD servers and clients, QEMU's, nbdkit's, libnbd's and ours, against one another. */
@org.jspecify.annotations.NullMarked
package hawser.interop.nbd;
