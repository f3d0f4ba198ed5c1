/** qcow2 images that QEMU's tools made, read and written by Hawser, and the other way round. */
@org.jspecify.annotations.NullMarked
package hawser.interop.qcow2;
