/**
 * The block node and what opens one. A {@link hawser.block.BlockNode} is a disk, whatever lies
 * beneath: a file, a format, a filter, a connection. An {@link hawser.block.Opener} builds a stack
 * of them from a name or from options.
 */
@org.jspecify.annotations.NullMarked
package hawser.block;
