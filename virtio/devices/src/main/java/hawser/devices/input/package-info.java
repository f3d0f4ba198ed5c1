/** The virtio input device. */
@org.jspecify.annotations.NullMarked
package hawser.devices.input;
