/** {@code hawser nbd}: serves one disk over NBD, in the place of qemu-nbd. */
@org.jspecify.annotations.NullMarked
package hawser.tools.nbd;
