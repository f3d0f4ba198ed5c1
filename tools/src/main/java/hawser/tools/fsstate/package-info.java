/** {@code fs-state}: looks at the state of shared folders. */
@org.jspecify.annotations.NullMarked
package hawser.tools.fsstate;
