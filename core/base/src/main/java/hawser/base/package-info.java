/** Byte ranges, sizes, byte order and the four kinds of fault. */
@org.jspecify.annotations.NullMarked
package hawser.base;
