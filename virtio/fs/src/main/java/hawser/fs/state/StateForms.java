package hawser.fs.state;

import hawser.fs.fuse.InitFlag;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** The forms in which a state is written. */
public enum StateForms {
  /** Our own, which carries everything. */
  HAWSER(0),
  /** That of Rust's virtiofsd, version 2. */
  VIRTIOFSD(InitFlag.mask(InitFlag.POSIX_LOCKS, InitFlag.FLOCK_LOCKS));

  private final long unknownFlags;

  StateForms(long unknownFlags) {
    this.unknownFlags = unknownFlags;
  }

  /** What a guest may have agreed to in INIT that whoever reads the form does not serve. */
  public long unknownFlags() {
    return unknownFlags;
  }

  /** Writes a state in this form. */
  public StateSink writing(OutputStream out) throws IOException {
    return switch (this) {
      case HAWSER -> new StateWriter(out);
      case VIRTIOFSD -> new VirtiofsdWriter(out);
    };
  }

  /**
   * Reads a state in whichever form it is; answers that.
   *
   * @throws IOException when it is damaged, or in none
   */
  public static StateForms read(InputStream in, StateSink sink) throws IOException {
    var first = new BufferedInputStream(in);
    first.mark(HawserForm.MAGIC.length);
    byte[] magic = first.readNBytes(HawserForm.MAGIC.length);
    first.reset();
    if (StateReader.begins(magic)) {
      StateReader.read(first, sink);
      return HAWSER;
    }
    VirtiofsdReader.read(first, sink);
    return VIRTIOFSD;
  }
}
