/**
 * Copying one disk to another: what {@code img convert} does, for programs. {@link
 * hawser.block.convert.Conversion} walks the source's extents, and its workers read, look for
 * zeroes and write.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.convert;
