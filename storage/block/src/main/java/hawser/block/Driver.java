package hawser.block;

import hawser.base.BlockFault;

/**
 * Opens one kind of node: a protocol such as {@code file}, a format such as {@code qcow2}, a
 * filter.
 */
public interface Driver {
  /** The name as QEMU spells it. */
  String name();

  /**
   * Opens a node. Takes every option it understands out of {@code options}; the opener refuses what
   * is left. Children are opened through {@code opener}, which keeps the policy and bounds the
   * depth.
   *
   * @throws BlockFault with the words QEMU uses where a user would know them
   */
  BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault;

  /**
   * How sure this format is, from the first bytes of a file, that it is its own: 0 (not) to 100.
   * Protocols and filters say 0. At most 2048 bytes are given; a short file gives fewer.
   */
  default int probe(java.lang.foreign.MemorySegment head, String name) {
    return 0;
  }
}
