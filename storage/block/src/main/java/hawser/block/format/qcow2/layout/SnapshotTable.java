package hawser.block.format.qcow2.layout;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The internal snapshots of an image ("Snapshot table").
 *
 * @param snapshots in the order of the table; up to the first entry that could not be read
 * @param bytes how long the table is in the file, up to there
 * @param flaws what is wrong with it; the first is what QEMU reports
 */
public record SnapshotTable(List<Snapshot> snapshots, long bytes, List<Flaw> flaws) {
  /** No snapshots. */
  public static final SnapshotTable EMPTY = new SnapshotTable(List.of(), 0, List.of());

  /** Copies the lists. */
  public SnapshotTable {
    snapshots = List.copyOf(snapshots);
    flaws = List.copyOf(flaws);
  }

  /** Reads the table that a header points to. The header must have passed its own judgement. */
  public static SnapshotTable read(BlockNode file, Qcow2Header header) throws BlockFault {
    var snapshots = new ArrayList<Snapshot>();
    long start = header.snapshotTable();
    long at = start;
    for (int i = 0; i < header.snapshotCount(); i++) {
      at = start + Ranges.alignUp(at - start, 8);
      try (var arena = Arena.ofConfined()) {
        MemorySegment fixed = piece(arena, file, at, Snapshot.FIXED_BYTES);
        long extraBytes = Snapshot.extraBytes(fixed);
        if (extraBytes > Qcow2Limits.SNAPSHOT_EXTRA_BYTES_MAX) {
          return cut(snapshots, at - start, "Too much extra metadata in snapshot table entry " + i);
        }
        int idBytes = Snapshot.idBytes(fixed);
        int nameBytes = Snapshot.nameBytes(fixed);
        long variable = extraBytes + idBytes + nameBytes;
        long end = at + Snapshot.FIXED_BYTES + variable;
        if (end - start > Qcow2Limits.SNAPSHOT_TABLE_BYTES_MAX) {
          return cut(snapshots, at - start, "Snapshot table is too big");
        }
        MemorySegment rest = piece(arena, file, at + Snapshot.FIXED_BYTES, variable);
        snapshots.add(
            Snapshot.of(
                fixed,
                rest.asSlice(0, extraBytes).toArray(ValueLayout.JAVA_BYTE),
                HeaderExtensions.text(rest.asSlice(extraBytes, idBytes)),
                HeaderExtensions.text(rest.asSlice(extraBytes + idBytes, nameBytes)),
                header.size()));
        at = end;
      }
    }
    return new SnapshotTable(snapshots, at - start, List.of());
  }

  private static SnapshotTable cut(List<Snapshot> snapshots, long bytes, String text) {
    return new SnapshotTable(
        snapshots, bytes, List.of(new Flaw(Flaw.Blocks.USE, Errno.EFBIG, text)));
  }

  private static MemorySegment piece(Arena arena, BlockNode file, long at, long bytes)
      throws BlockFault {
    MemorySegment piece = arena.allocate(Math.max(bytes, 1), 8).asSlice(0, bytes);
    if (!Ranges.contains(file.length(), at, bytes)) {
      throw new BlockFault(Errno.EIO, "Failed to read snapshot table: Input/output error");
    }
    if (bytes > 0) {
      file.read(piece, at);
    }
    return piece;
  }
}
