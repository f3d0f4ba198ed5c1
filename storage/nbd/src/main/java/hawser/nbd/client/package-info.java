/**
 * The NBD client: the handshake with servers old and new, a connection that many threads share, and
 * a block node on top. Nothing that a server says is believed before it is checked.
 */
@org.jspecify.annotations.NullMarked
package hawser.nbd.client;
