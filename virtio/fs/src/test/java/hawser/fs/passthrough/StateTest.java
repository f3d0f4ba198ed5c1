package hawser.fs.passthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.dispatch.Caller;
import hawser.fs.fuse.FileLock;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest's state goes from one share to another on the same folder, whole or not at all. */
class StateTest {
  private static final long ROOT = 1;
  private static final ShareOptions OPTIONS =
      new ShareOptions(
          CacheMode.AUTO,
          false,
          true,
          false,
          true,
          true,
          true,
          true,
          false,
          false,
          false,
          false,
          false,
          false,
          Translation.NONE,
          100);

  @TempDir Path folder;
  private final List<String> log = new ArrayList<>();

  private PassThrough share() throws BlockFault {
    return PassThrough.of(folder, OPTIONS, MigrationOptions.USUAL, log::add);
  }

  private static byte[] save(PassThrough share) throws IOException {
    var state = new ByteArrayOutputStream();
    share.save(state);
    return state.toByteArray();
  }

  private static void load(PassThrough share, byte[] state) throws IOException {
    assertThat(share.load(new ByteArrayInputStream(state))).isPresent();
  }

  @Test
  void openFilesGoOn() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from, InitFlag.POSIX_LOCKS);
      long directory = guest.mkdir(ROOT, "directory");
      var named = guest.create(directory, new Name(new byte[] {(byte) 0xff, 'x'}), "named");
      var unlinked = guest.create(directory, Name.of("unlinked"), "unlinked");
      guest.ask(directory, new FuseRequest.Unlink(Name.of("unlinked")));
      var lock =
          new FuseRequest.Setlk(
              named.open().handle(), 77, new FileLock(3, 9, FileLock.WRITE, 1), 0, false);
      assertThat(guest.ask(named.entry().nodeId(), lock)).isEqualTo(new FuseReply.Done());
      load(to, save(from));
      Caller there = Caller.arrived(to);
      assertThat(there.read(named.open().handle())).isEqualTo("named");
      assertThat(there.read(unlinked.open().handle())).isEqualTo("unlinked");
      var other =
          new FuseRequest.Getlk(
              named.open().handle(), 78, new FileLock(0, 100, FileLock.READ, 1), 0);
      assertThat(there.ask(named.entry().nodeId(), other))
          .isEqualTo(new FuseReply.Locked(new FileLock(3, 9, FileLock.WRITE, 0)));
      assertThat(there.lookup(ROOT, Name.of("directory"))).isEqualTo(directory);
    }
    assertThat(log).isEmpty();
  }

  @Test
  void aStateThatIsCutOrChangedIsRefusedWhole() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from);
      long directory = guest.mkdir(ROOT, "directory");
      var open = guest.create(directory, Name.of("open"), "open");
      var unlinked = guest.create(directory, Name.of("unlinked"), "unlinked");
      guest.ask(directory, new FuseRequest.Unlink(Name.of("unlinked")));
      byte[] state = save(from);
      for (int length = 0; length < state.length; length++) {
        refuses(to, java.util.Arrays.copyOf(state, length), open.open().handle());
      }
      for (int i = 0; i < state.length; i++) {
        byte[] changed = state.clone();
        changed[i] ^= (byte) (1 << (i % 8));
        refuses(to, changed, open.open().handle());
      }
      refuses(to, java.util.Arrays.copyOf(state, state.length + 1), open.open().handle());
      // And the share is none the worse for it.
      load(to, state);
      assertThat(Caller.arrived(to).read(unlinked.open().handle())).isEqualTo("unlinked");
    }
    try (var left = Files.list(folder)) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly("directory");
    }
  }

  private static void refuses(PassThrough share, byte[] state, long handle) {
    assertThatThrownBy(() -> share.load(new ByteArrayInputStream(state)))
        .isInstanceOf(IOException.class)
        .hasMessageMatching("(?s).+");
    assertThat(Caller.arrived(share).read(handle)).isEqualTo("-" + Errno.EBADF.number());
  }

  @Test
  void anotherFileOfTheSameNameIsNotTaken() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from);
      guest.create(ROOT, Name.of("file"), "the guest's");
      byte[] state = save(from);
      Files.move(folder.resolve("file"), folder.resolve("away"));
      Files.writeString(folder.resolve("file"), "somebody else's");
      assertThatThrownBy(() -> load(to, state))
          .hasMessage(
              "inode 2 ('file') is not the file that the guest has open, or is not here: error 116");
    }
  }

  @Test
  void whatIsTooMuchIsSaidBeforeTheGuestStops() throws Exception {
    var little =
        new MigrationOptions(
            MigrationOptions.OnError.ABORT, hawser.fs.state.StateForms.HAWSER, new StateLimits(4));
    try (PassThrough from = PassThrough.of(folder, OPTIONS, little, log::add)) {
      var guest = new Caller(from);
      assertThat(from.obstacles()).isEmpty();
      guest.create(ROOT, Name.of("file"), "many bytes");
      guest.ask(ROOT, new FuseRequest.Unlink(Name.of("file")));
      assertThat(from.obstacles())
          .containsExactly(
              "inode 2 (was 'file'): it has no name any more, and with its 10 bytes more than 4"
                  + " would travel");
      assertThatThrownBy(() -> save(from)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aGuestThatHasAgreedToMoreThanIsOfferedDoesNotArrive() throws Exception {
    ShareOptions writeback =
        new ShareOptions(
            CacheMode.AUTO,
            true,
            true,
            false,
            false,
            false,
            true,
            true,
            false,
            false,
            false,
            false,
            false,
            false,
            Translation.NONE,
            100);
    try (PassThrough from = PassThrough.of(folder, writeback, MigrationOptions.USUAL, log::add);
        PassThrough to = share()) {
      var guest = new Caller(from, InitFlag.WRITEBACK_CACHE);
      guest.mkdir(ROOT, "directory");
      assertThatThrownBy(() -> load(to, save(from)))
          .hasMessage(
              "the guest has agreed to WRITEBACK_CACHE, which this daemon's options do not offer");
    }
  }
}
