/** Disks that store nothing. */
@org.jspecify.annotations.NullMarked
package hawser.block.nothing;
