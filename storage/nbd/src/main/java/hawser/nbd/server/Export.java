package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.Limits;
import hawser.nbd.BlockSizes;
import hawser.nbd.ExportInfo;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdLimits;
import hawser.nbd.TransmissionFlags;
import java.util.ArrayList;
import java.util.List;

/**
 * A disk under a name. The server never closes the node.
 *
 * @param name what clients ask for; "" is the default export; at most 4096 bytes of UTF-8
 * @param description for people, or ""
 * @param node the disk
 * @param writable whether clients may write; a read-only node never is
 * @param multiConn whether several connections see each other's writes, as all nodes promise
 * @param allocationDepth whether {@code qemu:allocation-depth} is offered
 * @param bitmaps the dirty bitmaps offered
 * @param tlsOnly whether clients without TLS are refused
 */
public record Export(
    String name,
    String description,
    BlockNode node,
    boolean writable,
    boolean multiConn,
    boolean allocationDepth,
    List<DirtyBitmap> bitmaps,
    boolean tlsOnly) {
  /** The number of {@code base:allocation} in replies; the others follow. */
  static final int BASE_ALLOCATION_ID = 0;

  static final int DEPTH_ID = 1;
  static final int FIRST_BITMAP_ID = 2;

  /** As QEMU's servers say of every disk, whatever its clusters. */
  private static final int PREFERRED_BLOCK_BYTES = 4096;

  /** Copies the list. */
  public Export {
    bitmaps = List.copyOf(bitmaps);
  }

  /** A disk with no more than the protocol's own context. */
  public static Export of(String name, BlockNode node, boolean writable) {
    return new Export(name, "", node, writable, true, false, List.of(), false);
  }

  /** The same with a text for people. */
  public Export withDescription(String text) {
    return new Export(name, text, node, writable, multiConn, allocationDepth, bitmaps, tlsOnly);
  }

  /** What the handshake says of it now; asks the node for its length. */
  ExportInfo info() throws BlockFault {
    Limits limits = node.limits();
    int minimum = Math.min(limits.alignment(), NbdLimits.MINIMUM_BLOCK_MAX);
    int preferred = Math.max(minimum, PREFERRED_BLOCK_BYTES);
    var sizes = new BlockSizes(minimum, preferred, NbdLimits.PAYLOAD_BYTES_MAX);
    return new ExportInfo(name, description, node.length(), flags(), sizes, contexts(), tlsOnly);
  }

  private int flags() {
    int flags =
        TransmissionFlags.HAS_FLAGS
            | TransmissionFlags.SEND_FLUSH
            | TransmissionFlags.SEND_FUA
            | TransmissionFlags.SEND_CACHE
            | (multiConn ? TransmissionFlags.CAN_MULTI_CONN : 0);
    if (!writable || node.readOnly()) {
      return flags | TransmissionFlags.READ_ONLY;
    }
    return flags
        | TransmissionFlags.SEND_TRIM
        | TransmissionFlags.SEND_WRITE_ZEROES
        | TransmissionFlags.SEND_FAST_ZERO;
  }

  private List<MetaContext> contexts() {
    var contexts = new ArrayList<MetaContext>();
    contexts.add(new MetaContext(BASE_ALLOCATION_ID, MetaContext.BASE_ALLOCATION));
    if (allocationDepth) {
      contexts.add(new MetaContext(DEPTH_ID, MetaContext.QEMU_ALLOCATION_DEPTH));
    }
    int id = FIRST_BITMAP_ID;
    for (DirtyBitmap bitmap : bitmaps) {
      contexts.add(new MetaContext(id++, MetaContext.QEMU_DIRTY_BITMAP + bitmap.name()));
    }
    return contexts;
  }
}
