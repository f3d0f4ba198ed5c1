package hawser.tools.dist;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Preallocation;
import hawser.nbd.server.Export;
import hawser.nbd.server.NbdServer;
import hawser.nbd.server.ServerListener;
import hawser.nbd.server.ServerOptions;
import hawser.sys.SocketAddress;
import hawser.tools.Main;
import hawser.tools.Terminal;
import hawser.tools.sandbox.Sandbox;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The run from which the start-up cache is made: every short command once on a small disk, in one
 * process, so that the JVM sees which classes they need. What they print goes nowhere.
 */
public final class Training {
  private static final long COPIED_BYTES = 64 << 20;
  private static final int COPIES = 10;

  private Training() {}

  /** The argument is an empty folder for the disks. */
  public static void main(String[] args) throws BlockFault {
    String raw = Path.of(args[0], "disk.raw").toString();
    String qcow2 = Path.of(args[0], "disk.qcow2").toString();
    hawser("img", "--help");
    hawser("img", "--version");
    hawser("img", "create", "-f", "raw", raw, "1M");
    hawser("img", "create", "-f", "qcow2", qcow2, "1M");
    for (String disk : new String[] {raw, qcow2}) {
      hawser("img", "info", disk);
      hawser("img", "info", "--output=json", disk);
      hawser("img", "map", disk);
      hawser("img", "map", "--output=json", disk);
      hawser("img", "measure", "-O", "qcow2", disk);
      hawser("img", "compare", disk, raw);
      hawser("img", "inspect", disk);
    }
    hawser("img", "check", qcow2);
    hawser("img", "convert", "-O", "qcow2", raw, Path.of(args[0], "copy.qcow2").toString());
    hawser("io", "-c", "read 0 4k", raw);
    hawser("nbdinfo", "--help");
    hawser("nbdcopy", "--help");
    hawser("nbd", "--help");
    clients(args[0], raw);
    // In this process: a launcher would start or become another one.
    Sandbox.skipLauncher();
    Guests guests = new Guests(Path.of(args[0]));
    for (List<String> program : guests.programs(raw, qcow2)) {
      int socket = guests.connect();
      FutureTask<Void> guest = guests.start(program.getFirst().equals("vhost-user-blk"));
      var words = new ArrayList<>(program);
      words.add("--fd=" + socket);
      hawser(words.toArray(String[]::new));
      ended(guest);
    }
  }

  private static void ended(FutureTask<Void> guest) {
    try {
      guest.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError("the guest of the training", e);
    }
  }

  /** The programs that talk to a server, which is there meanwhile. */
  private static void clients(String folder, String disk) throws BlockFault {
    String socket = Path.of(folder, "nbd.sock").toString();
    String uri = "nbd+unix:///?socket=" + socket;
    String copy = Path.of(folder, "copied.raw").toString();
    try (BlockNode node = new Opener(OpenPolicy.NOTHING).open(disk, "raw", OpenMode.WRITE);
        var server = new NbdServer(ServerOptions.DEFAULT, ServerListener.NONE)) {
      node.resize(COPIED_BYTES, Preallocation.OFF);
      server.add(Export.of("", node, true));
      server.listen(new SocketAddress.Unix(socket));
      for (String option : new String[] {"--size", "--json", "--map", "--list"}) {
        hawser("nbdinfo", option, uri);
      }
      // Often enough for the hot methods to be known to the JVM that reads the cache.
      for (int i = 0; i < COPIES; i++) {
        hawser("nbdcopy", "--no-extents", "-S", "0", uri, copy);
        hawser("nbdcopy", copy, uri);
        hawser("nbdcopy", uri, "null:");
      }
    }
  }

  private static void hawser(String... words) {
    var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    var nothing = new ByteArrayInputStream(new byte[0]);
    Main.run(words, "", new Terminal(nothing, nowhere, nowhere));
  }
}
