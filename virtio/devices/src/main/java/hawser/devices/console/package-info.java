/** The virtio console, with one port. */
@org.jspecify.annotations.NullMarked
package hawser.devices.console;
