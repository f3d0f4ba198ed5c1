/** The virtio block device: a block node as the disk of a guest. */
module hawser.blk {
  requires static transitive org.jspecify;
  requires transitive hawser.block;
  requires transitive hawser.vhost;
  requires hawser.sys;

  exports hawser.blk;
}
