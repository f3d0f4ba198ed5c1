/** Small virtio devices: whatever is no disk. A package for each. */
module hawser.devices {
  requires static transitive org.jspecify;
  requires transitive hawser.vhost;
  requires hawser.sys;

  exports hawser.devices.console;
  exports hawser.devices.input;
  exports hawser.devices.rng;
  exports hawser.devices.vsock;
}
