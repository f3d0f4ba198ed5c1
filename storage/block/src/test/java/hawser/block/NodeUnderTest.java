package hawser.block;

import static hawser.block.NewDisk.chain;
import static hawser.block.NewDisk.qcow2;
import static hawser.block.NewDisk.raw;
import static hawser.block.NodeUnderTest.Trait.FORGETS;
import static hawser.block.NodeUnderTest.Trait.GROWS;
import static hawser.block.NodeUnderTest.Trait.GROWS_ALONE;
import static hawser.block.NodeUnderTest.Trait.QUICK;
import static hawser.block.NodeUnderTest.Trait.SHOWS_NO_HOLES;
import static hawser.block.NodeUnderTest.Trait.SHRINKS;
import static hawser.block.NodeUnderTest.Trait.WRITES_ALWAYS;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** The kinds of node that keep the contract of {@link BlockNode}, each on a file of its own. */
@SuppressWarnings("ImmutableEnumChecker") // What makes the disk keeps nothing, and the set is one.
enum NodeUnderTest {
  FILE(raw(0), "driver=file,filename=%1$s", GROWS_ALONE, GROWS, SHRINKS),
  FILE_DIRECT(raw(0), "driver=file,filename=%1$s,cache.direct=on", GROWS_ALONE, GROWS, SHRINKS),
  CHANNEL(raw(0), "driver=file,filename=%1$s", QUICK, GROWS_ALONE, GROWS, SHRINKS, SHOWS_NO_HOLES),
  RAW(raw(0), "driver=raw,file.filename=%1$s", GROWS, SHRINKS),
  RAW_DIRECT(raw(0), "driver=raw,file.filename=%1$s,cache.direct=on", GROWS, SHRINKS),
  RAW_OFFSET(raw(3072), "driver=raw,offset=3072,file.filename=%1$s", GROWS, SHRINKS),
  RAW_WINDOW(raw(8192), "driver=raw,offset=512,size=1M,file.filename=%1$s"),
  RAW_PROBED(raw(0), "file.filename=%1$s", GROWS, SHRINKS),
  RAW_DETECT_ZEROES(
      raw(0), "driver=raw,discard=unmap,detect-zeroes=unmap,file.filename=%1$s", GROWS, SHRINKS),
  HOST_DEVICE(raw(0), "driver=raw,file.driver=host_device,file.filename=%1$s", SHOWS_NO_HOLES),
  HOST_DEVICE_DIRECT(
      raw(0),
      "driver=raw,cache.direct=on,file.driver=host_device,file.filename=%1$s",
      SHOWS_NO_HOLES),
  NULL_CO(NewDisk.NO_FILE, "driver=null-co,size=1M", FORGETS, SHOWS_NO_HOLES),
  NULL_AIO_ZEROES(NewDisk.NO_FILE, "driver=null-aio,size=1M,read-zeroes=on", FORGETS),
  THROTTLE(
      raw(0),
      "driver=throttle,limits.bps-total=100000000000,file.driver=raw,file.file.filename=%1$s",
      GROWS,
      SHRINKS),
  BLKDEBUG(
      raw(0),
      "driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=%1$s",
      GROWS,
      SHRINKS),
  BLKDEBUG_ALIGN(
      raw(0),
      "driver=raw,file.driver=blkdebug,file.align=4096,file.max-transfer=16384,"
          + "file.image.driver=file,file.image.filename=%1$s",
      GROWS,
      SHRINKS),
  QCOW2(qcow2(shape -> shape), "driver=qcow2,file.filename=%1$s", GROWS),
  QCOW2_VERSION_2(
      qcow2(shape -> shape.withVersion(2, 16)), "driver=qcow2,file.filename=%1$s", GROWS),
  QCOW2_512(
      qcow2(shape -> shape.withClusterBytes(512).withVersion(3, 64)),
      "driver=qcow2,file.filename=%1$s",
      GROWS),
  QCOW2_2M(
      qcow2(shape -> shape.withClusterBytes(2 << 20).withVersion(3, 1)),
      "driver=qcow2,file.filename=%1$s",
      GROWS,
      SHOWS_NO_HOLES),
  QCOW2_SUBCLUSTERS(
      qcow2(shape -> shape.withExtendedL2(true).withCompressionType(Qcow2Header.ZSTD)),
      "driver=qcow2,file.filename=%1$s",
      GROWS),
  QCOW2_LAZY(
      qcow2(shape -> shape.withLazyRefcounts(true).withClusterBytes(4096)),
      "driver=qcow2,file.filename=%1$s,l2-cache-size=4096,detect-zeroes=unmap",
      GROWS),
  QCOW2_PREALLOCATED(
      qcow2(shape -> shape.withPreallocation(Preallocation.METADATA)),
      "driver=qcow2,file.filename=%1$s",
      GROWS),
  QCOW2_DATA_FILE(
      qcow2(shape -> shape.withDataFile("data", false)),
      "driver=qcow2,file.filename=%1$s,data-file.driver=file,data-file.filename=%1$s.data",
      GROWS),
  QCOW2_DATA_FILE_RAW(
      qcow2(shape -> shape.withDataFile("data", true)),
      "driver=qcow2,file.filename=%1$s,data-file.driver=file,data-file.filename=%1$s.data",
      GROWS),
  QCOW2_CHAIN(
      chain(shape -> shape, 0xb5), 0xb5, "driver=qcow2,file.filename=%1$s," + Chain.OPTIONS, GROWS),
  QCOW2_CHAIN_SUBCLUSTERS(
      chain(shape -> shape.withExtendedL2(true), 0xb5),
      0xb5,
      "driver=qcow2,file.filename=%1$s," + Chain.OPTIONS,
      GROWS),
  QCOW2_CHAIN_DIRECT(
      chain(shape -> shape.withClusterBytes(4096), 0xb5),
      0xb5,
      "driver=qcow2,cache.direct=on,file.filename=%1$s," + Chain.OPTIONS,
      GROWS),
  COPY_ON_READ(
      chain(shape -> shape, 0xb5),
      0xb5,
      "driver=copy-on-read,file.driver=qcow2,file.file.filename=%1$s," + Chain.FILTERED,
      GROWS,
      WRITES_ALWAYS);

  /** What differs between the kinds, and the contract leaves to them. */
  enum Trait {
    /** Opened as programs do that end at once. */
    QUICK,
    /** A write past the end makes it longer. */
    GROWS_ALONE,
    GROWS,
    SHRINKS,
    /** Room that is given back is not seen to be given back. */
    SHOWS_NO_HOLES,
    /** Reading writes too, so that it cannot be opened for reading only. */
    WRITES_ALWAYS,
    /** Reads as zeroes whatever was written. */
    FORGETS
  }

  /** How {@link NewDisk#chain} is opened. */
  private static final class Chain {
    static final String OPTIONS =
        "backing.driver=qcow2,backing.file.filename=%1$s.middle,"
            + "backing.backing.driver=raw,backing.backing.file.filename=%1$s.base";
    static final String FILTERED =
        "file.backing.driver=qcow2,file.backing.file.filename=%1$s.middle,"
            + "file.backing.backing.driver=raw,file.backing.backing.file.filename=%1$s.base";

    private Chain() {}
  }

  static final long BYTES = NewDisk.BYTES;

  private final NewDisk content;
  private final int first;
  private final String options;
  private final Set<Trait> traits;

  NodeUnderTest(NewDisk content, String options, Trait... traits) {
    this(content, 0, options, traits);
  }

  NodeUnderTest(NewDisk content, int first, String options, Trait... traits) {
    this.content = content;
    this.first = first;
    this.options = options;
    this.traits = Set.of(traits);
  }

  boolean has(Trait trait) {
    return traits.contains(trait);
  }

  /** What a new disk reads as. */
  byte first() {
    return (byte) first;
  }

  /** What a byte reads as once it was written. */
  byte kept(int value) {
    return has(FORGETS) ? 0 : (byte) value;
  }

  private boolean device() {
    return this == HOST_DEVICE || this == HOST_DEVICE_DIRECT;
  }

  /** A new disk of {@link #BYTES}, all of them {@link #first}. */
  BlockNode create(Path folder) throws IOException, BlockFault {
    Path file = folder.resolve(name() + ".img");
    content.make(file);
    return open(device() ? LoopDevices.attach(file) : file, OpenMode.WRITE);
  }

  BlockNode open(Path file, OpenMode mode) throws BlockFault {
    Options parsed = Options.parse(options.formatted(file));
    if (!parsed.has("discard")) {
      parsed.put("discard", Json.of("unmap"));
    }
    return new Opener(OpenPolicy.NOTHING).open(parsed, mode.withQuick(has(QUICK)));
  }

  /** What to open to find the disk again. */
  Path file(Path folder) {
    return device() ? LoopDevices.attached() : folder.resolve(name() + ".img");
  }
}
