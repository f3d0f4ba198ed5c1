package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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

  /** The prefixes of names that this driver opens: {@code nbd}, {@code nbd+unix}. */
  default Set<String> protocols() {
    return Set.of();
  }

  /**
   * The options of a name with one of {@link #protocols} in front. May name another driver.
   *
   * @throws BlockFault when the name makes no sense
   */
  default Options fromName(String name) throws BlockFault {
    return new Options().put("filename", Json.of(name));
  }

  /**
   * The options of a disk that is opened once more, with some of them changed.
   *
   * @param older those it was opened with; changed and answered with
   * @param newer what is to be different; overrides also what contradicts it under another name
   */
  default Options joined(Options older, Options newer) {
    newer.tree().members().forEach(older::put);
    return older;
  }

  /** Whether it is a format or a filter, which lies on another node, rather than a protocol. */
  default boolean format() {
    return protocols().isEmpty();
  }

  /**
   * How sure this format is, from the first bytes of a file, that it is its own: 0 (not) to 100.
   * Protocols and filters say 0. At most 2048 bytes are given; a short file gives fewer.
   */
  default int probe(java.lang.foreign.MemorySegment head, String name) {
    return 0;
  }

  /**
   * What may be said of a new image of this kind, in QEMU's order. Empty: this driver makes none.
   */
  default List<CreateOption> createOptions() {
    return List.of();
  }

  /**
   * Makes a new image, replacing what was there. A format makes its file through {@link
   * Opener#createFile} and then writes into it.
   *
   * @param name what to call it: a path or a URI
   * @param options {@code size} is always given
   * @throws BlockFault EFBIG when the format cannot hold that size, or with QEMU's words
   */
  default void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    throw new BlockFault(
        Errno.EOPNOTSUPP, "Format driver '" + name() + "' does not support image creation");
  }

  /**
   * How much room a new image would need.
   *
   * @param options {@code size} is given unless there is a source
   * @param source what is to be copied, or null
   */
  default Measure measure(CreateOptions options, @Nullable BlockNode source) throws BlockFault {
    throw new BlockFault(
        Errno.EOPNOTSUPP, "Block driver '" + name() + "' does not support size measurement");
  }
}
