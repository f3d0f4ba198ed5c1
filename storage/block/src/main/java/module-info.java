/** Block nodes: disks, disk formats and filters that stack on one another. */
module hawser.block {
  requires static transitive org.jspecify;
  requires transitive hawser.base;
  requires com.github.luben.zstd_jni;
  requires hawser.sys;

  exports hawser.block;
  exports hawser.block.convert;
  exports hawser.block.filter;
  exports hawser.block.format.qcow2.check;
  exports hawser.block.format.qcow2;
  exports hawser.block.format.qcow2.layout;
  exports hawser.block.inspect;
  exports hawser.block.throttle;
}
