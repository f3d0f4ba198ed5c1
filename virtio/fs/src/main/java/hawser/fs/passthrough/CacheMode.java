package hawser.fs.passthrough;

import hawser.fs.fuse.OpenOut;
import hawser.fs.fuse.Time;

/** How much the guest may believe without asking again, as virtiofsd's {@code --cache}. */
public enum CacheMode {
  /** Nothing; content goes past its page cache. */
  NEVER(0, OpenOut.DIRECT_IO, 0),
  /** Names and attributes for a day; content goes past its page cache. */
  METADATA(86_400, OpenOut.DIRECT_IO, OpenOut.CACHE_DIR | OpenOut.KEEP_CACHE),
  /** Names and attributes for a second; content until the file is opened again. */
  AUTO(1, 0, 0),
  /** Everything. */
  ALWAYS(86_400, OpenOut.KEEP_CACHE, OpenOut.KEEP_CACHE | OpenOut.CACHE_DIR);

  /** How long names and attributes may be believed, in seconds. */
  public final int seconds;

  final int fileFlags;
  final int directoryFlags;

  CacheMode(int seconds, int fileFlags, int directoryFlags) {
    this.seconds = seconds;
    this.fileFlags = fileFlags;
    this.directoryFlags = directoryFlags;
  }

  Time valid() {
    return new Time(seconds, 0);
  }
}
