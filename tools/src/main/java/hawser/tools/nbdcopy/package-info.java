/** {@code hawser nbdcopy}: copies disks to and from NBD servers, over several connections. */
@org.jspecify.annotations.NullMarked
package hawser.tools.nbdcopy;
