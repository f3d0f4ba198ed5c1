/**
 * The messages of the NBD protocol and the steps of its handshake, apart from any socket. The
 * source of every number and rule is the protocol's own {@code proto.md}, cited by section.
 */
@org.jspecify.annotations.NullMarked
package hawser.nbd;
