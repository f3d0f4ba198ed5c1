/**
 * Byte streams to a peer: native sockets, channels where those cannot load, and TLS over either.
 */
@org.jspecify.annotations.NullMarked
package hawser.nbd.transport;
