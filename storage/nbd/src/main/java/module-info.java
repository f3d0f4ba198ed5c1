/** The Network Block Device protocol: its messages, a server and a client. */
module hawser.nbd {
  requires static transitive org.jspecify;
  requires transitive hawser.base;
  requires transitive hawser.block;
  requires transitive hawser.sys;
  requires org.bouncycastle.provider;
  requires org.bouncycastle.tls;

  exports hawser.nbd;
  exports hawser.nbd.client;
  exports hawser.nbd.server;
  exports hawser.nbd.tls;
  exports hawser.nbd.transport;
}
