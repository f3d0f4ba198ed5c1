/** Nodes that change how another node behaves, not what it holds. */
@org.jspecify.annotations.NullMarked
package hawser.block.filter;
