package hawser.interop.vhost;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Path;

/** Whose vhost-user-blk a test drives. */
enum BlkBackEnd {
  /** The storage daemon on PATH. */
  QEMU {
    @Override
    Peer serve(Path image, Path socket, int queues) {
      Peers.requires("qemu-storage-daemon");
      return Peers.start(
              "qemu-storage-daemon",
              "--blockdev",
              "file,node-name=f,discard=unmap,filename=" + image,
              "--blockdev",
              "raw,node-name=d,discard=unmap,file=f",
              "--export",
              "vhost-user-blk,id=e,node-name=d,writable=on,num-queues=%d,addr.type=unix,addr.path=%s"
                  .formatted(queues, socket))
          .awaitSocket(socket);
    }
  },

  /** Ours, as a process of its own. */
  HAWSER {
    @Override
    Peer serve(Path image, Path socket, int queues) {
      return Side.HAWSER
          .start(
              "vhost-user-blk",
              "--socket-path=" + socket,
              "--blk-file=" + image,
              "--format=raw",
              "--num-queues=" + queues)
          .awaitSocket(socket);
    }
  };

  /** Serves a raw image; listening when this returns. */
  abstract Peer serve(Path image, Path socket, int queues);
}
