package hawser.devices.console;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.PtyCalls;
import hawser.sys.Result;

/**
 * A new pseudo-terminal, for whoever opens its {@link #name}. It outlives its users: this side
 * holds the other open too, so that the last one that leaves does not end the line.
 */
public final class PtyLine extends DescriptorLine {
  private final int master;
  private final int held;
  private final String name;

  private PtyLine(int master, int held, String name) {
    this.master = master;
    this.held = held;
    this.name = name;
  }

  /** Makes one, which passes bytes as they are. */
  public static PtyLine open() throws BlockFault {
    int master = (int) Result.orFault(PtyCalls.open(), "cannot make a pty");
    String name = PtyCalls.name(master);
    long held = PtyCalls.openOther(name);
    long result = Result.failed(held) ? held : PtyCalls.makeRaw((int) held);
    if (Result.failed(result)) {
      FileCalls.close(master);
    }
    Result.orFault(result, "cannot use the pty " + name);
    return new PtyLine(master, (int) held, name);
  }

  /** The path that terminal programs open: {@code /dev/pts/3}. */
  public String name() {
    return name;
  }

  @Override
  public byte[] read(int most) {
    while (awaitReadable(master)) {
      byte[] bytes = readNow(master, most);
      if (bytes.length > 0) {
        return bytes;
      }
    }
    return new byte[0];
  }

  @Override
  public void write(byte[] bytes) {
    write(master, bytes);
  }

  @Override
  public void close() {
    FileCalls.close(held);
    FileCalls.close(master);
    super.close();
  }
}
