package hawser.block;

import hawser.base.json.Json;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What {@code img info} and QMP's query commands say of one node beyond its name, driver and
 * length.
 *
 * @param allocated bytes of storage taken, without backing files; empty when nobody can tell
 * @param clusterSize the format's unit of allocation in bytes; empty when there is none
 * @param encrypted whether a secret is needed to read it
 * @param dirty whether it was not closed in order; empty when the driver keeps no such record
 * @param backing what the image names as its backing file, or null
 * @param snapshots the internal snapshots, in the table's order
 * @param specific QEMU's {@code ImageInfoSpecific}: the driver's name as {@code type}, and {@code
 *     data}; or null
 */
public record NodeInfo(
    OptionalLong allocated,
    OptionalLong clusterSize,
    boolean encrypted,
    Optional<Boolean> dirty,
    @Nullable Backing backing,
    List<SnapshotInfo> snapshots,
    Json.@Nullable Obj specific) {

  /** Copies the list. */
  public NodeInfo {
    snapshots = List.copyOf(snapshots);
  }

  /** Nothing known but the room taken. */
  public static NodeInfo of(OptionalLong allocated) {
    return new NodeInfo(
        allocated, OptionalLong.empty(), false, Optional.empty(), null, List.of(), null);
  }

  /**
   * A backing file as the image names it. That it is named does not say that it exists.
   *
   * @param name as it stands in the image
   * @param resolved against the image's folder, or null where that cannot be said
   * @param format its format, or null when the image leaves it to probing
   */
  public record Backing(String name, @Nullable String resolved, @Nullable String format) {}

  /** The same with the driver's own part. */
  public NodeInfo withSpecific(Json.Obj value) {
    return new NodeInfo(allocated, clusterSize, encrypted, dirty, backing, snapshots, value);
  }

  /** The same with a known state of its record of orderly closing. */
  public NodeInfo withDirty(boolean value) {
    return new NodeInfo(
        allocated, clusterSize, encrypted, Optional.of(value), backing, snapshots, specific);
  }

  /** The room that several nodes take together; empty when one of them cannot tell. */
  public static OptionalLong allocatedBy(List<BlockNode> nodes) throws hawser.base.BlockFault {
    long sum = 0;
    for (BlockNode node : nodes) {
      OptionalLong one = node.info().allocated();
      if (one.isEmpty()) {
        return one;
      }
      sum += one.getAsLong();
    }
    return OptionalLong.of(sum);
  }
}
