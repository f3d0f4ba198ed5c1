/** QMP: the control protocol of QEMU and its storage daemon, from the client's side. */
module hawser.qmp {
  requires static transitive org.jspecify;
  requires transitive hawser.base;
  requires hawser.sys;

  exports hawser.qmp;
}
