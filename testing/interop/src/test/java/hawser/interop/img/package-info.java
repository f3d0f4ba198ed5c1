/** {@code hawser img} beside qemu-img: the same command lines on the same images. */
@org.jspecify.annotations.NullMarked
package hawser.interop.img;
