package hawser.tools;

import hawser.base.UsageFault;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** A socket file whose owner was killed; it would be in the way for ever. */
public final class StaleSocket {
  private StaleSocket() {}

  /**
   * Removes a socket that nobody listens on.
   *
   * @param otherwise what to advise where somebody does: {@code --socket takes another one}
   * @throws UsageFault when it is in use, or cannot be removed
   */
  public static void remove(Path socket, String otherwise) {
    if (!Files.exists(socket)) {
      return;
    }
    try (var probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      if (probe.connect(UnixDomainSocketAddress.of(socket))) {
        throw new UsageFault(socket + " is in use by another server; " + otherwise);
      }
    } catch (ConnectException nobody) {
      delete(socket);
    } catch (IOException e) {
      throw new UsageFault(socket + " is there and cannot be replaced: " + e.getMessage());
    }
  }

  /** Removes our own socket at the end; where that fails, the next one to listen there does it. */
  public static void forget(Path socket) {
    boolean _ = socket.toFile().delete();
  }

  private static void delete(Path socket) {
    try {
      Files.delete(socket);
    } catch (IOException e) {
      throw new UsageFault(socket + " is left over and cannot be removed: " + e.getMessage());
    }
  }
}
