/** The programs: one package each, and the table that picks one. */
module hawser.tools {
  requires static transitive org.jspecify;
  requires transitive hawser.base;
  requires hawser.blk;
  requires hawser.block;
  requires hawser.devices;
  requires hawser.fs;
  requires hawser.nbd;
  requires hawser.sys;
  requires hawser.vhost;
  requires jdk.unsupported;

  exports hawser.tools;
}
