/** The virtio socket device, bridged to unix sockets. */
@org.jspecify.annotations.NullMarked
package hawser.devices.vsock;
