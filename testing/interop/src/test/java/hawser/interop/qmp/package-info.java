/** QMP sessions with QEMU's own servers. */
@org.jspecify.annotations.NullMarked
package hawser.interop.qmp;
