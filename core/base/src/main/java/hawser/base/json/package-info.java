/** JSON as QEMU reads and prints it, as a small tree. */
@org.jspecify.annotations.NullMarked
package hawser.base.json;
