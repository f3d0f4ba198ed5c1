/** What small devices have in common. */
@org.jspecify.annotations.NullMarked
package hawser.devices;
