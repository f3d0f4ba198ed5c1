/** The raw format: the bytes of another node, all of them or a window. */
@org.jspecify.annotations.NullMarked
package hawser.block.format.raw;
