/** {@code hawser img}: a drop-in for qemu-img, and {@code inspect}, which is our own. */
@org.jspecify.annotations.NullMarked
package hawser.tools.img;
