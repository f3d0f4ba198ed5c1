/** The package that {@code ./hawser dist} makes. */
@org.jspecify.annotations.NullMarked
package hawser.interop.dist;
