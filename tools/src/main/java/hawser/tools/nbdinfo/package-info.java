/** {@code hawser nbdinfo}: tells what NBD servers offer, in the words of libnbd's nbdinfo. */
@org.jspecify.annotations.NullMarked
package hawser.tools.nbdinfo;
