/** {@code hawser up} as a process of its own, used by everybody's clients. */
@org.jspecify.annotations.NullMarked
package hawser.interop.up;
