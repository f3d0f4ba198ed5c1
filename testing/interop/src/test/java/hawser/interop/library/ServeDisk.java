package hawser.interop.library;

import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.nbd.server.Export;
import hawser.nbd.server.NbdServer;
import hawser.nbd.server.ServerListener;
import hawser.nbd.server.ServerOptions;
import hawser.sys.SocketAddress;

/** README.md's example. */
final class ServeDisk {
  private ServeDisk() {}

  /** Serves an image to NBD clients on a unix socket until a key is pressed. */
  public static void main(String[] args) throws Exception {
    var opener = new Opener(OpenPolicy.NOTHING); // names inside the image open no other file
    try (BlockNode disk = opener.open(args[0], "qcow2", OpenMode.WRITE);
        var server = new NbdServer(ServerOptions.DEFAULT, ServerListener.NONE)) {
      server.add(Export.of("", disk, true));
      server.listen(new SocketAddress.Unix(args[1]));
      System.out.println(disk.length() + " bytes at " + args[1]);
      System.in.read();
    } // clients are disconnected, then the disk is flushed and closed
  }
}
