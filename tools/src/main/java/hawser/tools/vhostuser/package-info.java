/** {@code hawser vhost-user-...}: virtual devices for guests, over vhost-user. */
@org.jspecify.annotations.NullMarked
package hawser.tools.vhostuser;
