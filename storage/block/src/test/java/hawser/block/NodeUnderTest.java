package hawser.block;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** The kinds of node that keep the contract of {@link BlockNode}, each on a file of its own. */
enum NodeUnderTest {
  FILE("driver=file,filename=%s", false, false),
  FILE_DIRECT("driver=file,filename=%s,cache.direct=on", false, false),
  CHANNEL("driver=file,filename=%s", true, false),
  RAW("driver=raw,file.filename=%s", false, true),
  RAW_DIRECT("driver=raw,file.filename=%s,cache.direct=on", false, true),
  RAW_OFFSET("driver=raw,offset=3072,file.filename=%s", false, true),
  RAW_WINDOW("driver=raw,offset=512,size=1M,file.filename=%s", false, true),
  RAW_PROBED("file.filename=%s", false, true),
  RAW_DETECT_ZEROES("driver=raw,discard=unmap,detect-zeroes=unmap,file.filename=%s", false, true),
  HOST_DEVICE("driver=raw,file.driver=host_device,file.filename=%s", false, true),
  HOST_DEVICE_DIRECT(
      "driver=raw,cache.direct=on,file.driver=host_device,file.filename=%s", false, true);

  /** Bytes of the disk, whatever lies around it in the file. */
  static final long BYTES = 1 << 20;

  private final String options;
  private final boolean quick;
  private final boolean bounded;

  NodeUnderTest(String options, boolean quick, boolean bounded) {
    this.options = options;
    this.quick = quick;
    this.bounded = bounded;
  }

  /** Whether requests past the end are refused; a file grows instead. */
  boolean bounded() {
    return bounded;
  }

  /** Whether the file may change its length. */
  boolean resizable() {
    return this != RAW_WINDOW && !device();
  }

  /** Whether room that is given back is seen to be given back. */
  boolean seesHoles() {
    return !quick && !device();
  }

  private boolean device() {
    return this == HOST_DEVICE || this == HOST_DEVICE_DIRECT;
  }

  /** A new disk of {@link #BYTES} zeroes. */
  BlockNode create(Path folder) throws IOException, BlockFault {
    Path file = folder.resolve(name() + ".img");
    try (var content = new RandomAccessFile(file.toFile(), "rw")) {
      content.setLength(0);
      content.setLength(BYTES + (this == RAW_OFFSET ? 3072 : this == RAW_WINDOW ? 8192 : 0));
    }
    return open(device() ? LoopDevices.attach(file) : file, OpenMode.WRITE);
  }

  BlockNode open(Path file, OpenMode mode) throws BlockFault {
    Options parsed = Options.parse(options.formatted(file));
    if (!parsed.has("discard")) {
      parsed.put("discard", Json.of("unmap"));
    }
    return new Opener(OpenPolicy.NOTHING).open(parsed, mode.withQuick(quick));
  }

  /** What to open to find the disk again. */
  Path file(Path folder) {
    return device() ? LoopDevices.attached() : folder.resolve(name() + ".img");
  }
}
