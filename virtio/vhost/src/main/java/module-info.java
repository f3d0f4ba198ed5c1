/** vhost-user: messages, connections, both roles, guest memory, rings, and devices. */
module hawser.vhost {
  requires static transitive org.jspecify;
  requires transitive hawser.base;
  requires transitive hawser.sys;

  exports hawser.vhost.backend;
  exports hawser.vhost.conform;
  exports hawser.vhost.connection;
  exports hawser.vhost.frontend;
  exports hawser.vhost.memory;
  exports hawser.vhost.message;
  exports hawser.vhost.relay;
  exports hawser.vhost.ring;
}
