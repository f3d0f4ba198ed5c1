/**
 * Checking of qcow2 images: every reference is walked, counted, and compared with the stored
 * refcounts ("Refcounts"). Reads only. Results and messages are those of QEMU's {@code ImageCheck}
 * and {@code qemu-img check}.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.format.qcow2.check;
