package hawser.nbd.server;

import hawser.sys.SocketAddress;

/**
 * One client of a server.
 *
 * @param number counts the connections of a server from 1
 * @param through the address it came to
 * @param export what it uses; "" before it has chosen
 * @param begun whether it got as far as transmission
 */
public record ClientInfo(long number, SocketAddress through, String export, boolean begun) {
  ClientInfo began(String name) {
    return new ClientInfo(number, through, name, true);
  }
}
