/**
 * What lies in a qcow2 file: header, extensions, table entries, snapshot table, bitmap directory.
 * Readers only say what is written there; whether it is allowed is said by {@code flaws()}, so that
 * opening, checking, {@code info} and inspection share one reader. Everything is big endian.
 * Source: QEMU's interop document {@code qcow2}, which the section names in quotes refer to.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.format.qcow2.layout;
