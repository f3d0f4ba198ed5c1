package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.ThreadEnd;
import hawser.sys.Linux;
import hawser.sys.SocketAddress;

/** A listening socket with its thread. */
abstract class Acceptor implements AutoCloseable, Runnable {
  private final Thread thread = Thread.ofPlatform().daemon().name("nbd-accept").unstarted(this);

  /** Listens natively where that works, otherwise through a channel. */
  static Acceptor bind(NbdServer server, SocketAddress address) throws BlockFault {
    return Linux.available()
        ? SocketAcceptor.bind(server, address)
        : ChannelAcceptor.bind(server, address);
  }

  abstract SocketAddress address();

  /** Makes {@link #run} return soon. */
  abstract void wake();

  /** Gives the socket back; nobody accepts any more. */
  abstract void release();

  final void start() {
    thread.start();
  }

  @Override
  public final void close() {
    wake();
    if (thread != Thread.currentThread()) {
      ThreadEnd.await(thread);
    }
    release();
  }
}
