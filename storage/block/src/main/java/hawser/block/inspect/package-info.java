/**
 * Judging images that come from strangers. Reads one file, follows nothing that it names, and says
 * everything in it that a careful host wants to know before it lets a machine or a tool open it.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.inspect;
