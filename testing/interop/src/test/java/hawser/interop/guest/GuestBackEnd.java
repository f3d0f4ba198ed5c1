package hawser.interop.guest;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Path;

/** Whose back-end serves a guest's disk. */
enum GuestBackEnd {
  /** The storage daemon on PATH. */
  QEMU {
    @Override
    Peer serve(Path image, String format, Path socket) {
      Peers.requires("qemu-storage-daemon");
      return Peers.start(
              "qemu-storage-daemon",
              "--blockdev",
              "file,node-name=f,discard=unmap,filename=" + image,
              "--blockdev",
              format + ",node-name=d,discard=unmap,file=f",
              "--export",
              "vhost-user-blk,id=e,node-name=d,writable=on,num-queues=2,addr.type=unix,addr.path="
                  + socket,
              "--chardev",
              "socket,id=c,server=on,wait=off,path=" + monitor(socket),
              "--monitor",
              "c")
          .awaitSocket(socket);
    }
  },
  /** Ours. */
  HAWSER {
    @Override
    Peer serve(Path image, String format, Path socket) {
      return Side.HAWSER
          .start(
              "vhost-user-blk",
              "--socket-path=" + socket,
              "--blk-file=" + image,
              "--format=" + format,
              "--control-socket=" + monitor(socket),
              "--num-queues=2")
          .awaitSocket(socket);
    }
  };

  /** Serves an image to a guest; listening when this returns. */
  abstract Peer serve(Path image, String format, Path socket);

  /**
   * Where a back-end takes commands: the storage daemon by QMP, ours a line for each connection.
   */
  static Path monitor(Path socket) {
    return socket.resolveSibling(socket.getFileName() + ".qmp");
  }
}
