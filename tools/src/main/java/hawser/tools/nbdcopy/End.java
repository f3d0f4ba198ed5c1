package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.nbd.NbdUri;
import hawser.nbd.TransmissionFlags;
import hawser.nbd.client.Connector;
import hawser.nbd.client.LaunchedServer;
import hawser.nbd.client.NbdClient;
import hawser.nbd.tls.UriCredentials;
import hawser.sys.FileCalls;
import hawser.sys.Linux;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One end of a copy. */
sealed interface End extends AutoCloseable {
  @Override
  default void close() throws BlockFault {}

  /**
   * An NBD export, over one connection or several.
   *
   * @param launched the server itself where it was started for this copy
   */
  record Server(List<NbdClient> connections, @Nullable LaunchedServer launched) implements End {
    static Server connect(String text, int most) {
      try {
        return new Server(connections(NbdUri.parse(text), most), null);
      } catch (BlockFault e) {
        throw new UsageFault(text + ": " + e.getMessage());
      } catch (IllegalArgumentException e) {
        throw new UsageFault(String.valueOf(e.getMessage()));
      }
    }

    /** Starts a server, which serves one connection only unless it was told otherwise. */
    static Server launch(List<String> command) {
      try {
        LaunchedServer launched = LaunchedServer.start(command);
        boolean connected = false;
        try {
          var server = new Server(connections(launched.uri(), 1), launched);
          connected = true;
          return server;
        } finally {
          if (!connected) {
            launched.close();
          }
        }
      } catch (BlockFault e) {
        throw new UsageFault(command.getFirst() + ": " + e.getMessage());
      }
    }

    private static List<NbdClient> connections(NbdUri uri, int most) throws BlockFault {
      Connector connector = Connector.of(uri, uri.tls() ? UriCredentials.of(uri) : null);
      var connections = new ArrayList<NbdClient>();
      NbdClient first = connector.connect();
      connections.add(first);
      while (first.server().can(TransmissionFlags.CAN_MULTI_CONN) && connections.size() < most) {
        connections.add(connector.connect());
      }
      return connections;
    }

    NbdClient lane(int number) {
      return connections.get(number % connections.size());
    }

    boolean can(int flags) {
      return connections.getFirst().server().can(flags);
    }

    @Override
    public void close() throws BlockFault {
      connections.forEach(NbdClient::close);
      if (launched != null) {
        launched.close();
      }
    }
  }

  /**
   * A file or device of this machine.
   *
   * @param pages a descriptor of it for advice about the page cache, or -1
   */
  record Local(BlockNode node, int pages) implements End {
    static Local open(String name, boolean writable) {
      try {
        var options = new Options().put("driver", Json.of("raw"));
        options.put("file", new Options().put("filename", Json.of(name)).tree());
        OpenMode mode = (writable ? OpenMode.WRITE : OpenMode.READ).withUnmap(true);
        BlockNode node = new Opener(OpenPolicy.NOTHING).open(options, mode);
        int flags = FileCalls.O_CLOEXEC | FileCalls.O_RDONLY;
        boolean advise = writable && Linux.available();
        return new Local(node, advise ? (int) FileCalls.open(name, flags, 0) : -1);
      } catch (BlockFault e) {
        throw new UsageFault(String.valueOf(e.getMessage()));
      }
    }

    /** Makes the file, or empties it, and gives it its size; a device stays as it is. */
    static Local create(String name, long size) {
      if (!Files.exists(Path.of(name)) || Files.isRegularFile(Path.of(name))) {
        try (var file = new RandomAccessFile(name, "rw")) {
          file.setLength(0);
          file.setLength(size);
        } catch (IOException e) {
          throw new UsageFault(name + ": " + e.getMessage());
        }
      }
      return open(name, true);
    }

    @Override
    public void close() throws BlockFault {
      if (pages >= 0) {
        FileCalls.close(pages);
      }
      node.close();
    }
  }

  /** Standard input or output. */
  record Stream() implements End {}

  /** Nowhere: what is written is thrown away. */
  record Nowhere() implements End {}
}
