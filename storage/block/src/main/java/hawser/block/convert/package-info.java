/**
 * Copying one disk to another: what {@code img convert} does, for programs. {@link
 * hawser.block.convert.Conversion} walks the source's extents, and its workers read, look for
 * zeroes and write. {@link hawser.block.convert.Comparison} goes the same way over two disks.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.convert;
