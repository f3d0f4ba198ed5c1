/**
 * The NBD server: exports, listening sockets, and the data path of a connection.
 *
 * <p>One thread per connection receives, serves what needs no waiting and gathers the replies; what
 * must wait goes to a bounded pool of threads and is answered when it is done.
 */
@org.jspecify.annotations.NullMarked
package hawser.nbd.server;
