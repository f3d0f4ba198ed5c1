package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.nbd.MetaContext;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Where the source has zeroes, for one lane. A server tells of many extents at once; those that
 * were not asked for yet are kept, so that it is not asked again.
 */
final class SourceMap {
  /** The longest range that one request asks about. */
  private static final long ASKED_BYTES_MAX = 1L << 30;

  private final End source;
  private final @Nullable NbdClient client;
  private final boolean wanted;
  private final ArrayDeque<Extent> told = new ArrayDeque<>();

  /**
   * @param client the lane's connection where the source is a server
   * @param wanted false where everything is to be taken for data
   */
  SourceMap(End source, @Nullable NbdClient client, boolean wanted) {
    this.source = source;
    this.client = client;
    this.wanted = wanted;
  }

  /** The extent that begins at {@code at}; no longer than {@code bytes}. */
  Extent extent(long at, long bytes) throws BlockFault {
    if (wanted && client != null && !client.server().contexts().isEmpty()) {
      return ofServer(client, at, bytes);
    }
    return wanted && source instanceof End.Local(BlockNode node, var _)
        ? node.extent(at, bytes)
        : Extent.of(at, bytes, Extent.Kind.DATA);
  }

  private Extent ofServer(NbdClient server, long at, long bytes) throws BlockFault {
    while (!told.isEmpty() && told.getFirst().end() <= at) {
      told.removeFirst();
    }
    if (told.isEmpty() || told.getFirst().offset() > at) {
      told.clear();
      ask(server, at, Math.min(bytes, ASKED_BYTES_MAX));
    }
    Extent first = told.getFirst();
    return Extent.of(at, Math.min(bytes, first.end() - at), first.kind());
  }

  private void ask(NbdClient server, long at, long bytes) throws BlockFault {
    long[] next = {at};
    server.call(
        new Exchange()
            .status(
                at,
                bytes,
                0,
                (context, length, flags) -> {
                  boolean zero = (flags & MetaContext.STATE_ZERO) != 0;
                  // A server may tell of more than was asked, but not past what there can be.
                  long known = Math.min(length, at + bytes - next[0]);
                  if (known > 0) {
                    told.add(Extent.of(next[0], known, zero ? Extent.Kind.ZERO : Extent.Kind.DATA));
                    next[0] += known;
                  }
                }));
    if (told.isEmpty()) {
      throw new BlockFault(Errno.EIO, "server told of no extents at offset " + at);
    }
  }
}
