/** The virtio file system device: shares a folder of the host's with a virtual machine. */
module hawser.fs {
  requires static transitive org.jspecify;
  requires transitive hawser.vhost;
  requires hawser.sys;
  requires jdk.jfr;

  exports hawser.fs;
  exports hawser.fs.dispatch;
  exports hawser.fs.fuse;
  exports hawser.fs.identity;
  exports hawser.fs.journal;
  exports hawser.fs.passthrough;
  exports hawser.fs.state;
  exports hawser.fs.xattr;
}
