/** Checks of the source tree itself, so that its rules are kept by the build and not by memory. */
@org.jspecify.annotations.NullMarked
package hawser.interop.house;
