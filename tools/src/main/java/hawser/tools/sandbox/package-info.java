/** How a daemon that serves strangers gives up what it does not need: see {@link Sandbox}. */
@org.jspecify.annotations.NullMarked
package hawser.tools.sandbox;
