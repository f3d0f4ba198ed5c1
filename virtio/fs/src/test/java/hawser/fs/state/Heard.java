package hawser.fs.state;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What came, in words. */
final class Heard implements StateSink {
  final List<String> lines = new ArrayList<>();

  @Override
  public void settings(SavedSettings settings) {
    lines.add(settings.toString());
  }

  @Override
  public void option(SavedOption option) {
    lines.add(option.toString());
  }

  @Override
  public void inode(SavedInode inode) {
    lines.add(inode.toString());
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) {
    lines.add("content of %d at %d: %d bytes".formatted(nodeId, offset, bytes.byteSize()));
  }

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) {
    lines.add("%d: %s".formatted(nodeId, attribute));
  }

  @Override
  public void file(SavedFile file) {
    lines.add(file.toString());
  }

  @Override
  public void lock(SavedLock lock) {
    lines.add(lock.toString());
  }

  @Override
  public void end() {
    lines.add("end");
  }

  /** What a state tells, in whichever form it is. */
  static List<String> in(byte[] state) throws IOException {
    var heard = new Heard();
    StateForms.read(new ByteArrayInputStream(state), heard);
    return heard.lines;
  }
}
