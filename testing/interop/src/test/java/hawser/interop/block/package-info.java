/** Files, locks and filters beside QEMU's own. */
package hawser.interop.block;
