/** {@code img inspect} over images that QEMU's tools made. */
@org.jspecify.annotations.NullMarked
package hawser.interop.inspect;
