package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.L2Entry;
import java.util.function.Consumer;

/**
 * What happens when the tables turn out to contradict themselves: said once, in QEMU's words, and a
 * writable image is marked corrupt so that nobody writes it again before a repair.
 */
final class Damage {
  /** Sets the corrupt bit in the file. */
  @FunctionalInterface
  interface Mark {
    void markCorrupt() throws BlockFault;
  }

  private final Geometry geometry;
  private final Consumer<String> warnings;
  private Mark mark = () -> {};
  private boolean writable;
  private volatile boolean fatal;
  private boolean told;

  Damage(Geometry geometry, Consumer<String> warnings) {
    this.geometry = geometry;
    this.warnings = warnings;
  }

  void onFatal(Mark action) {
    mark = action;
    writable = true;
  }

  /** Fails every request once a writable image was marked corrupt. */
  void check() throws BlockFault {
    if (fatal) {
      // QEMU takes the disk out of its drive, and this is how that shows.
      throw new BlockFault(Errno.ENOMEDIUM, "the image was marked corrupt");
    }
  }

  /** Whether nothing of the image may be used or changed any more. */
  boolean fatal() {
    return fatal;
  }

  /** Says what was found; the fault is for the request that met it. */
  synchronized BlockFault found(String what) throws BlockFault {
    if (writable && !fatal) {
      fatal = true;
      warnings.accept(
          "qcow2: Marking image as corrupt: "
              + what
              + "; further corruption events will be suppressed");
      mark.markCorrupt();
    } else if (!fatal && !told) {
      told = true;
      warnings.accept(
          "qcow2: Image is corrupt: "
              + what
              + "; further non-fatal corruption events will be suppressed");
    }
    return new BlockFault(Errno.EIO, "Input/output error");
  }

  /** Says something odd that costs nothing but space. */
  synchronized void complain(String what) {
    if (!told) {
      told = true;
      warnings.accept("qcow2: " + what);
    }
  }

  /** Explains a lookup that ended in an invalid entry. */
  BlockFault entry(long guest, long entry, Mapping mapping) throws BlockFault {
    long l1Entry = mapping.l1().get(mapping.l1Index(guest));
    long table = L1Entry.offset(l1Entry);
    if (geometry.inCluster(table) != 0) {
      return found(
          "L2 table offset %s unaligned (L1 index: %s)"
              .formatted(hex(table), hex(mapping.l1Index(guest))));
    }
    long index = (guest >>> geometry.clusterBits()) & ((1L << geometry.l2Bits()) - 1);
    String place = " (L2 offset: %s, L2 index: %s)".formatted(hex(table), hex(index));
    long host = entry & L2Entry.OFFSET_MASK;
    if ((entry & L2Entry.COMPRESSED) != 0) {
      return found("Compressed cluster entry found in image with external data file" + place);
    }
    boolean zero = (entry & L2Entry.ZERO) != 0 && !geometry.extendedL2();
    if (zero && geometry.version() < 3) {
      return found("Zero cluster entry found in pre-v3 image" + place);
    }
    if (geometry.inCluster(host) != 0) {
      return found(
          (zero ? "Preallocated zero cluster" : "Cluster allocation")
              + " offset %s unaligned".formatted(hex(host))
              + place);
    }
    if (geometry.dataFile() && host != 0) {
      return found(
          "External data file host cluster offset %s does not match guest cluster offset: %s, "
                  .formatted(
                      hex(host), hex(guest >>> geometry.clusterBits() << geometry.clusterBits()))
              + "L2 index: %s)".formatted(hex(index)));
    }
    return found("Invalid cluster entry found" + place);
  }

  /** As C's {@code %#x}: a zero has no prefix. */
  static String hex(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }
}
