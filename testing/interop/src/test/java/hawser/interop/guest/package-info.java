/** Real guests under QEMU, whose disks we serve. */
@org.jspecify.annotations.NullMarked
package hawser.interop.guest;
