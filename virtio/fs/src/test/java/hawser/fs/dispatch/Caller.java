package hawser.fs.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.fs.Name;
import hawser.fs.fuse.Extensions;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import hawser.fs.fuse.RequestHeader;
import hawser.sys.Iovecs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** A guest's kernel that calls a file system past rings and bytes. */
public final class Caller {
  private static final int O_RDWR = 2;
  private final FileSystem files;

  /** The number of the last request; the kernel counts by twos. */
  private long unique;

  /** Of this file system, which it mounts with these flags. */
  public Caller(FileSystem files, InitFlag... flags) {
    this.files = files;
    var init = new FuseRequest.Init(7, 38, 1 << 17, InitFlag.mask(flags));
    assertThat(files.init(init)).isInstanceOf(FuseReply.Agreed.class);
  }

  private Caller(FileSystem files) {
    this.files = files;
  }

  /** One that has mounted elsewhere. */
  public static Caller arrived(FileSystem files) {
    return new Caller(files);
  }

  /** One whose requests another daemon has served before, up to this number. */
  public static Caller goingOn(FileSystem files, long unique) {
    var caller = new Caller(files);
    caller.unique = unique;
    return caller;
  }

  /** The number of the last request. */
  public long lastUnique() {
    return unique;
  }

  /** The answer to a request of the superuser's. */
  public FuseReply ask(long nodeId, FuseRequest request) {
    unique += 2;
    return askAgain(nodeId, request);
  }

  /** The same of a request that has the last one's number, for it is the last one. */
  public FuseReply askAgain(long nodeId, FuseRequest request) {
    var header = new RequestHeader(0, 0, unique, nodeId, 0, 0, 1, 0);
    return files.handle(new Call(header, Arena.ofAuto().allocate(1 << 16, 8)), request);
  }

  /** What a name leads to. */
  public long lookup(long directory, Name name) {
    return found(ask(directory, new FuseRequest.Lookup(name)));
  }

  private static long found(FuseReply reply) {
    assertThat(reply).isInstanceOf(FuseReply.Found.class);
    return ((FuseReply.Found) reply).entry().nodeId();
  }

  /** Makes a directory. */
  public long mkdir(long directory, String name) {
    return found(ask(directory, new FuseRequest.Mkdir(Name.of(name), 0755, 0, Extensions.NONE)));
  }

  /** Makes a file with content and keeps it open. */
  public FuseReply.Created create(long directory, Name name, String content) {
    var create = new FuseRequest.Create(name, O_RDWR, 0644, 0, 0, Extensions.NONE);
    FuseReply reply = ask(directory, create);
    assertThat(reply).isInstanceOf(FuseReply.Created.class);
    var created = (FuseReply.Created) reply;
    write(created.open().handle(), content);
    return created;
  }

  /** Writes at an open file's beginning, or at its end if it was opened for that. */
  public void write(long handle, String content) {
    unique += 2;
    writeAgain(handle, content);
  }

  /** The same of a request that has the last one's number. */
  public void writeAgain(long handle, String content) {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    try (var arena = Arena.ofConfined()) {
      var vector = new Iovecs(arena, 1);
      vector.add(arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, bytes));
      assertThat(files.write(unique, handle, 0, 0, vector)).isEqualTo(bytes.length);
    }
  }

  /**
   * What an open file holds, up to 4 KiB; a negated error number as text when it cannot be read.
   */
  public String read(long handle) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(4096);
      var vector = new Iovecs(arena, 1);
      vector.add(room);
      long count = files.read(handle, 0, vector, true);
      return count < 0
          ? String.valueOf(count)
          : StandardCharsets.UTF_8.decode(room.asSlice(0, count).asByteBuffer()).toString();
    }
  }
}
