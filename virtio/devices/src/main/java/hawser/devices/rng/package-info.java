/** The virtio entropy device; docs/a-device.md builds it step by step. */
@org.jspecify.annotations.NullMarked
package hawser.devices.rng;
