package hawser.nbd.server;

/**
 * Is told of clients. Called from the server's threads, for one client in order; must return soon.
 */
public interface ServerListener {
  /** Listens to nothing. */
  ServerListener NONE = new ServerListener() {};

  /** A client has chosen an export and begins. */
  default void clientConnected(ClientInfo client) {}

  /**
   * A client broke the rules before it had begun, could not be trusted, or hung up in the middle;
   * it is gone in a moment. One that says that it gives up, or says nothing at all, has not failed.
   *
   * @param why words for people
   */
  default void handshakeFailed(ClientInfo client, String why) {}

  /**
   * A client that had begun, or not, is gone.
   *
   * @param why words for people: what the client did, or what broke
   */
  default void clientGone(ClientInfo client, String why) {}
}
