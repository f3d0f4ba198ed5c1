/** What {@code check} says of broken images, beside what qemu-img says of them. */
@org.jspecify.annotations.NullMarked
package hawser.interop.check;
