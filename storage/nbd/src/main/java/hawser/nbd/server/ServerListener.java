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
   * A client that had begun, or not, is gone.
   *
   * @param why words for people: what the client did, or what broke
   */
  default void clientGone(ClientInfo client, String why) {}
}
