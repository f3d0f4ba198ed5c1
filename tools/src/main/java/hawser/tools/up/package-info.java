/** {@code hawser up}: a disk, served, in one command. */
@org.jspecify.annotations.NullMarked
package hawser.tools.up;
