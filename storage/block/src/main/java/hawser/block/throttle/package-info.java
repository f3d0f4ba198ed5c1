/** Limits on how much and how often is read and written. */
@org.jspecify.annotations.NullMarked
package hawser.block.throttle;
