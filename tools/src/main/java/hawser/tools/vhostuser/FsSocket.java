package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.sys.SocketAddress;
import hawser.sys.ThreadCalls;
import hawser.tools.StaleSocket;
import hawser.vhost.backend.BackEndServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import org.jspecify.annotations.Nullable;

/** virtiofsd's socket: whoever connects to it has the shared folder. */
final class FsSocket {
  /** A umask. */
  static final int OWNER_ONLY = 0077;

  private FsSocket() {}

  /** Listens where nobody but our user, and a group if one is named, can connect. */
  static int listen(Path path, @Nullable String group) throws BlockFault {
    StaleSocket.remove(path, "--socket-path takes another one");
    ThreadCalls.umask(OWNER_ONLY);
    int socket = BackEndServer.listen(new SocketAddress.Unix(path.toString()));
    if (group != null) {
      admit(group, path);
    }
    return socket;
  }

  private static void admit(String group, Path path) {
    try {
      var groups = path.getFileSystem().getUserPrincipalLookupService();
      var view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
      view.setGroup(groups.lookupPrincipalByGroupName(group));
      view.setPermissions(PosixFilePermissions.fromString("rwxrwx---"));
    } catch (UserPrincipalNotFoundException e) {
      throw new UsageFault("Couldn't resolve the group name specified for the socket path");
    } catch (IOException e) {
      throw new UsageFault("--socket-group: %s: %s".formatted(group, e.getMessage()));
    }
  }
}
