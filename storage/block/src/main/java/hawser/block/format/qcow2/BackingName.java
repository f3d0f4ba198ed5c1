package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Changes which backing file an image names, in its header. */
public final class BackingName {
  private BackingName() {}

  /**
   * Writes the new name. The image must not be open otherwise.
   *
   * @param file the image's bytes, writable
   * @param name as it is to stand in the image; "" for none
   * @param format of the backing file; null for none
   * @throws BlockFault EINVAL when the image cannot have that name, ENOSPC when the header has no
   *     room for it
   */
  public static void change(BlockNode file, String name, @Nullable String format)
      throws BlockFault {
    Qcow2Header header = Qcow2Header.read(file);
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    boolean alone = header.has(AutoclearFeature.RAW_DATA_FILE);
    if (bytes > Qcow2Limits.BACKING_NAME_BYTES_MAX || (alone && bytes > 0)) {
      throw BlockFault.of(Errno.EINVAL, "backing file name of " + bytes + " bytes");
    }
    byte[] cluster = header.withBacking(name.isEmpty() ? null : name, format).toCluster();
    try (var arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(cluster.length, 4096);
      out.copyFrom(MemorySegment.ofArray(cluster));
      file.write(out, 0, BlockNode.FUA);
    }
  }
}
