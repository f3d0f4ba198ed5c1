/** vhost-user, both roles, against QEMU's storage daemon. */
@org.jspecify.annotations.NullMarked
package hawser.interop.vhost;
