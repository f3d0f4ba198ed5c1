package hawser.fs.state;

import hawser.fs.Name;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/** Writes a state in Hawser's form, section by section. */
public final class StateWriter implements StateSink {
  /** How this program calls itself in a state. */
  public static final String WRITER = "hawser 0.1.0";

  private static final int CONTENT_HEADER_BYTES = 16;

  private final OutputStream out;
  private final MessageDigest digest = sha256();
  private final Pack items = new Pack();
  private SectionType type = SectionType.SETTINGS;

  /** Writes to a stream, which stays the caller's. */
  public StateWriter(OutputStream out) throws IOException {
    this.out = out;
    byte[] writer = WRITER.getBytes(StandardCharsets.UTF_8);
    ByteBuffer header = buffer(HawserForm.MAGIC.length + 6 + writer.length);
    header.put(HawserForm.MAGIC).putShort((short) HawserForm.VERSION).putShort((short) 0);
    header.putShort((short) writer.length).put(writer);
    write(header.flip());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void write(ByteBuffer bytes) throws IOException {
    digest.update(bytes.duplicate());
    out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
  }

  /** The section that is being filled is of this type from now on. */
  private Pack in(SectionType wanted) throws IOException {
    if (type != wanted || items.size() >= HawserForm.SECTION_BYTES_USUAL) {
      flush();
      type = wanted;
    }
    return items;
  }

  private void flush() throws IOException {
    if (items.size() > 0) {
      section(type, items.take());
    }
  }

  private void section(SectionType of, ByteBuffer payload) throws IOException {
    ByteBuffer header = buffer(HawserForm.SECTION_HEADER_BYTES);
    header.putShort((short) of.number);
    header.putShort((short) (of.required() ? HawserForm.REQUIRED : 0));
    header.putInt(payload.remaining()).flip();
    var crc = new CRC32C();
    crc.update(header.duplicate());
    crc.update(payload.duplicate());
    write(header);
    write(payload);
    write(buffer(HawserForm.CRC_BYTES).putInt((int) crc.getValue()).flip());
  }

  @Override
  public void settings(SavedSettings settings) throws IOException {
    Pack to = in(SectionType.SETTINGS);
    to.u8(settings.mounted() ? 1 : 0);
    to.u64(settings.agreed());
    to.u64(settings.nextNode());
    to.u64(settings.nextHandle());
  }

  @Override
  public void option(SavedOption option) throws IOException {
    Pack to = in(SectionType.OPTIONS);
    to.name(Name.of(option.name()));
    to.name(Name.of(option.value()));
  }

  @Override
  public void inode(SavedInode inode) throws IOException {
    Pack to = in(SectionType.INODES);
    to.compact(inode.nodeId());
    to.compact(inode.lookups());
    to.compact(inode.type() >>> 12);
    Identity identity = inode.identity();
    to.compact(identity.device());
    to.compact(identity.mount());
    to.compact(identity.inode());
    to.compact(identity.birthSeconds());
    to.compact(identity.birthNanos());
    to.compact(inode.visibleInode());
    to.u8(inode.needed() ? 1 : 0);
    to.name(inode.fileHandle());
    location(to, inode.location());
  }

  private static void location(Pack to, Location location) {
    switch (location) {
      case Location.Root _ -> to.u8(LocationTag.ROOT.number);
      case Location.Named(long directory, Name name) -> {
        to.u8(LocationTag.NAMED.number);
        to.compact(directory);
        to.name(name);
      }
      case Location.AtPath(Name path) -> {
        to.u8(LocationTag.AT_PATH.number);
        to.name(path);
      }
      case Location.ByHandle(Name mount, Name handle) -> {
        to.u8(LocationTag.BY_HANDLE.number);
        to.name(mount);
        to.name(handle);
      }
      case Location.Hidden(Name name) -> {
        to.u8(LocationTag.HIDDEN.number);
        to.name(name);
      }
      case Location.Embedded embedded -> embedded(to, embedded);
      case Location.Lost _ -> to.u8(LocationTag.LOST.number);
    }
  }

  private static void embedded(Pack to, Location.Embedded embedded) {
    to.u8(LocationTag.EMBEDDED.number);
    to.u32(embedded.mode());
    to.u32(embedded.uid());
    to.u32(embedded.gid());
    to.u64(embedded.device());
    to.u64(embedded.size());
    to.u64(embedded.atimeSeconds());
    to.u32(embedded.atimeNanos());
    to.u64(embedded.mtimeSeconds());
    to.u32(embedded.mtimeNanos());
    to.name(embedded.target());
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) throws IOException {
    flush();
    int most = HawserForm.SECTION_BYTES_MAX - CONTENT_HEADER_BYTES;
    for (long done = 0; done < bytes.byteSize(); done += most) {
      int count = (int) Math.min(most, bytes.byteSize() - done);
      ByteBuffer payload = buffer(CONTENT_HEADER_BYTES + count);
      payload.putLong(nodeId).putLong(offset + done);
      payload.put(bytes.asSlice(done, count).asByteBuffer()).flip();
      section(SectionType.CONTENT, payload);
    }
  }

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) throws IOException {
    Pack to = in(SectionType.ATTRIBUTES);
    to.compact(nodeId);
    to.name(attribute.name());
    to.name(attribute.value());
  }

  @Override
  public void file(SavedFile file) throws IOException {
    Pack to = in(SectionType.FILES);
    to.compact(file.handle());
    to.compact(file.nodeId());
    to.u32(file.flags());
  }

  @Override
  public void lock(SavedLock lock) throws IOException {
    Pack to = in(SectionType.LOCKS);
    switch (lock) {
      case SavedLock.Range range -> {
        to.u8(0);
        to.compact(range.nodeId());
        to.u64(range.owner());
        to.u8(range.exclusive() ? 1 : 0);
        to.u64(range.start());
        to.u64(range.end());
      }
      case SavedLock.Whole(long handle, boolean exclusive) -> {
        to.u8(1);
        to.compact(handle);
        to.u8(exclusive ? 1 : 0);
      }
    }
  }

  @Override
  public void end() throws IOException {
    flush();
    byte[] sum = digest.digest();
    section(SectionType.END, ByteBuffer.wrap(sum));
    out.flush();
  }
}
