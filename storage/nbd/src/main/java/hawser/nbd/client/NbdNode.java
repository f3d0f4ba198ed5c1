package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.Limits;
import hawser.block.Preallocation;
import hawser.nbd.Command;
import hawser.nbd.CommandFlags;
import hawser.nbd.MetaContext;
import hawser.nbd.TransmissionFlags;
import java.lang.foreign.MemorySegment;

/** An export of an NBD server as a disk. */
final class NbdNode implements BlockNode {
  /** The longest range a command without a payload covers, so that 32 bits hold it. */
  private static final long RANGE_MAX = 1L << 30;

  private final String name;
  private final Connected connection;
  private final ServerInfo server;
  private final boolean readOnly;
  private final boolean noFlush;
  private final boolean writethrough;
  private final ThreadLocal<Exchange> exchange = ThreadLocal.withInitial(Exchange::new);
  private boolean closed;

  NbdNode(String name, Connected connection, hawser.block.OpenMode mode) {
    this.name = name;
    this.connection = connection;
    this.server = connection.server();
    this.readOnly = server.readOnly() || !mode.writable();
    this.noFlush = mode.cache().noFlush();
    this.writethrough = mode.cache().writethrough();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return "nbd";
  }

  @Override
  public long length() {
    return server.size();
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public Limits limits() {
    int minimum = server.sizes().minimum();
    int preferred = Math.max(minimum, Math.min(server.sizes().preferred(), 1 << 20));
    return new Limits(minimum, 1, preferred, minimum);
  }

  private void check(long offset, long bytes) throws BlockFault {
    if (!Ranges.contains(server.size(), offset, bytes)) {
      throw BlockFault.of(Errno.EIO, "range %d+%d of '%s'".formatted(offset, bytes, name));
    }
  }

  private void checkWrite(long offset, long bytes) throws BlockFault {
    if (readOnly) {
      throw BlockFault.of(Errno.EPERM, "'" + name + "' is read-only");
    }
    check(offset, bytes);
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long bytes = into.byteSize();
    check(offset, bytes);
    long most = server.sizes().maximum();
    for (long done = 0; done < bytes; done += most) {
      MemorySegment piece = bytes <= most ? into : into.asSlice(done, Math.min(most, bytes - done));
      connection.call(exchange.get().read(piece, offset + done, 0));
    }
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    long bytes = from.byteSize();
    checkWrite(offset, bytes);
    boolean durable = durable(flags);
    boolean fua = durable && server.can(TransmissionFlags.SEND_FUA);
    long most = server.sizes().maximum();
    for (long done = 0; done < bytes; done += most) {
      MemorySegment piece = bytes <= most ? from : from.asSlice(done, Math.min(most, bytes - done));
      int how = fua ? CommandFlags.FUA : 0;
      connection.call(exchange.get().write(piece, offset + done, how));
    }
    if (durable && !fua) {
      flush();
    }
  }

  private boolean durable(int flags) {
    return (flags & FUA) != 0 || writethrough;
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    checkWrite(offset, length);
    if (!server.can(TransmissionFlags.SEND_WRITE_ZEROES)) {
      if ((flags & NO_FALLBACK) != 0) {
        throw BlockFault.of(Errno.EOPNOTSUPP, "server cannot write zeroes");
      }
      writeData(offset, length, flags);
      return;
    }
    boolean durable = durable(flags);
    boolean fua = durable && server.can(TransmissionFlags.SEND_FUA);
    int how = (fua ? CommandFlags.FUA : 0) | ((flags & MAY_UNMAP) != 0 ? 0 : CommandFlags.NO_HOLE);
    if ((flags & NO_FALLBACK) != 0) {
      if (!server.can(TransmissionFlags.SEND_FAST_ZERO)) {
        throw BlockFault.of(Errno.EOPNOTSUPP, "server cannot say whether zeroing is fast");
      }
      how |= CommandFlags.FAST_ZERO;
    }
    ranges(Command.WRITE_ZEROES, offset, length, how);
    if (durable && !fua) {
      flush();
    }
  }

  private void writeData(long offset, long length, int flags) throws BlockFault {
    MemorySegment zeroes = hawser.block.ZeroBytes.SOURCE;
    for (long done = 0; done < length; done += zeroes.byteSize()) {
      long bytes = Math.min(zeroes.byteSize(), length - done);
      write(zeroes.asSlice(0, bytes), offset + done, flags & FUA);
    }
  }

  private void ranges(Command command, long offset, long length, int how) throws BlockFault {
    for (long done = 0; done < length; done += RANGE_MAX) {
      long bytes = Math.min(RANGE_MAX, length - done);
      connection.call(exchange.get().other(command, offset + done, bytes, how));
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    checkWrite(offset, length);
    if (server.can(TransmissionFlags.SEND_TRIM)) {
      ranges(Command.TRIM, offset, length, 0);
    }
  }

  @Override
  public void flush() throws BlockFault {
    if (!noFlush && server.can(TransmissionFlags.SEND_FLUSH) && !server.readOnly()) {
      connection.call(exchange.get().other(Command.FLUSH, 0, 0, 0));
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    check(offset, 1);
    long bytes = Math.min(length, server.size() - offset);
    if (server.contexts().isEmpty()) {
      return new Extent(offset, bytes, Extent.Kind.DATA, 0, offset, this);
    }
    int context = server.contexts().getFirst().id();
    var found = new FirstExtent(context);
    long asked = Math.min(bytes, RANGE_MAX);
    connection.call(exchange.get().status(offset, asked, CommandFlags.REQ_ONE, found));
    if (found.length == 0) {
      throw new BlockFault(Errno.EIO, "Server did not reply with any status extents");
    }
    Extent.Kind kind = kind(found.flags);
    return new Extent(offset, Math.min(found.length, bytes), kind, 0, offset, this);
  }

  private static Extent.Kind kind(long flags) {
    boolean hole = (flags & MetaContext.STATE_HOLE) != 0;
    if ((flags & MetaContext.STATE_ZERO) != 0) {
      return hole ? Extent.Kind.ZERO : Extent.Kind.DATA_ZERO;
    }
    // A hole that does not read as zeroes has to be read like data.
    return Extent.Kind.DATA;
  }

  /** Keeps the first extent of one context. */
  private static final class FirstExtent implements StatusSink {
    private final int context;
    private long length;
    private long flags;

    FirstExtent(int context) {
      this.context = context;
    }

    @Override
    public void extent(int from, long bytes, long what) {
      if (from == context && length == 0) {
        length = bytes;
        flags = what;
      }
    }
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    if (length > server.size()) {
      throw new BlockFault(Errno.EINVAL, "Cannot grow NBD nodes");
    }
    if (length < server.size()) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Cannot resize NBD nodes");
    }
  }

  @Override
  public synchronized void close() throws BlockFault {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (!readOnly) {
        flush();
      }
    } finally {
      connection.close();
    }
  }
}
