package hawser.devices.console;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;

/** A line for whoever connects to a listening socket, one at a time. */
public final class SocketLine extends DescriptorLine {
  private static final int NOBODY = -1;

  private final int listening;
  private int client = NOBODY;

  private SocketLine(int listening) {
    this.listening = listening;
  }

  /** Listens on a unix socket, whose file stays the caller's to remove. */
  public static SocketLine listen(String path) throws BlockFault {
    var address = new SocketAddress.Unix(path);
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    long result = SocketCalls.bindTo(fd, address);
    if (!Result.failed(result)) {
      result = SocketCalls.listen(fd, 1);
    }
    if (Result.failed(result)) {
      FileCalls.close(fd);
    }
    Result.orFault(result, "cannot listen on " + path);
    return new SocketLine(fd);
  }

  private synchronized int client() {
    return client;
  }

  private synchronized void use(int fd) {
    if (client != NOBODY) {
      FileCalls.close(client);
    }
    client = fd;
  }

  @Override
  public byte[] read(int most) {
    while (true) {
      int now = client();
      if (!awaitReadable(now == NOBODY ? listening : now)) {
        return new byte[0];
      }
      if (now == NOBODY) {
        accept();
        continue;
      }
      byte[] bytes = readNow(now, most);
      if (bytes.length > 0) {
        return bytes;
      }
      use(NOBODY);
    }
  }

  private void accept() {
    long fd = SocketCalls.accept(listening);
    if (!Result.failed(fd)) {
      FileCalls.setNonblocking((int) fd);
      use((int) fd);
    }
  }

  /** With nobody connected, characters are lost. */
  @Override
  public synchronized void write(byte[] bytes) {
    if (client != NOBODY) {
      write(client, bytes);
    }
  }

  @Override
  public void close() {
    use(NOBODY);
    FileCalls.close(listening);
    super.close();
  }
}
