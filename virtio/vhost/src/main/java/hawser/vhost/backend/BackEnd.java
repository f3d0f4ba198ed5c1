package hawser.vhost.backend;

import hawser.sys.FileCalls;
import hawser.vhost.connection.VhostSocket;
import org.jspecify.annotations.Nullable;

/**
 * A device as a vhost-user back-end: serves one front-end after the other. {@link #serve} blocks;
 * {@link #close} ends it from another thread.
 */
public final class BackEnd implements AutoCloseable {
  private final Device device;
  private final BackEndOptions options;
  private @Nullable VhostSocket current;
  private boolean closed;

  /** Serves a device, which it does not close. */
  public BackEnd(Device device, BackEndOptions options) {
    this.device = device;
    this.options = options;
  }

  /** Serves the front-end on a connected socket, which it takes over, until that leaves. */
  public void serve(int fd) {
    VhostSocket socket;
    synchronized (this) {
      if (closed) {
        FileCalls.close(fd);
        return;
      }
      socket = new VhostSocket(fd);
      current = socket;
    }
    try {
      new Session(device, options, socket).run();
    } finally {
      synchronized (this) {
        current = null;
        notifyAll();
      }
    }
  }

  /** Disconnects the front-end and returns when nothing of its is in use any more. */
  @Override
  public synchronized void close() {
    closed = true;
    if (current != null) {
      current.shutdown();
    }
    boolean interrupted = false;
    while (current != null) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
