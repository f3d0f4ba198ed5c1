package hawser.fs.state;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;

/** Counts what a state consists of, and the bytes it would have in Hawser's form. */
public final class CountingSink implements StateSink {
  private final StateWriter writer;
  private long bytes;
  private long inodes;
  private long files;
  private long locks;

  /** Nothing counted yet. */
  public CountingSink() throws IOException {
    this.writer =
        new StateWriter(
            new OutputStream() {
              @Override
              public void write(int one) {
                bytes++;
              }

              @Override
              public void write(byte[] more, int offset, int length) {
                bytes += length;
              }
            });
  }

  /** Bytes written so far; a section that is not full yet comes on top. */
  public long bytes() {
    return bytes;
  }

  /** Inodes. */
  public long inodes() {
    return inodes;
  }

  /** Open files and directories. */
  public long files() {
    return files;
  }

  /** Locks. */
  public long locks() {
    return locks;
  }

  @Override
  public void settings(SavedSettings settings) throws IOException {
    writer.settings(settings);
  }

  @Override
  public void option(SavedOption option) throws IOException {
    writer.option(option);
  }

  @Override
  public void inode(SavedInode inode) throws IOException {
    writer.inode(inode);
    inodes++;
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment content) throws IOException {
    writer.content(nodeId, offset, content);
  }

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) throws IOException {
    writer.attribute(nodeId, attribute);
  }

  @Override
  public void file(SavedFile file) throws IOException {
    writer.file(file);
    files++;
  }

  @Override
  public void lock(SavedLock lock) throws IOException {
    writer.lock(lock);
    locks++;
  }

  @Override
  public void end() throws IOException {
    writer.end();
  }
}
