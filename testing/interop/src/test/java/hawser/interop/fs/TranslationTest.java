package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.Errno;
import hawser.testkit.Peer;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Caller;
import hawser.testkit.fuse.Change;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What has other names or numbers on the host than in the guest, by virtiofsd and by ours. */
class TranslationTest {
  private static final long ROOT = FuseOperations.ROOT_NODE;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void usersHaveOtherNumbers(FsBackEnd daemon) throws Exception {
    Path socket = folder.resolve("socket");
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Files.createFile(shared.resolve("hosts"));
    Files.setAttribute(shared.resolve("hosts"), "unix:uid", 5003);
    shared.toFile().setWritable(true, false);
    try (Peer peer =
            daemon.serve(
                shared,
                socket,
                "--translate-uid=map:1000:5000:10",
                "--translate-uid=forbid-guest:2000:5",
                "--translate-gid=squash-guest:1000:7000:10");
        FuseClient client = FuseClient.connect(socket, 1)) {
      client.operations().init().ok();
      FuseOperations guest = client.operations(0, new Caller(1002, 1003, 1));
      long made = guest.mkdir(ROOT, "made", 0755, 0).ok().entry().node();
      assertThat(Files.getAttribute(shared.resolve("made"), "unix:uid")).isEqualTo(5002);
      assertThat(Files.getAttribute(shared.resolve("made"), "unix:gid")).isEqualTo(7000);
      assertThat(guest.getattr(made).ok().attributes().uid()).isEqualTo(1002);
      assertThat(guest.lookup(ROOT, "hosts").ok().entry().attributes().uid()).isEqualTo(1003);
      Answer given = client.operations().setattr(made, Change.owner(1009, 1009));
      assertThat(given.ok().attributes().uid()).isEqualTo(1009);
      assertThat(Files.getAttribute(shared.resolve("made"), "unix:uid")).isEqualTo(5009);
      FuseOperations forbidden = client.operations(0, new Caller(2001, 0, 1));
      // virtiofsd calls it an input/output error.
      Errno refused = daemon == FsBackEnd.HAWSER ? Errno.EPERM : Errno.EIO;
      assertThat(forbidden.mkdir(ROOT, "never", 0755, 0).error()).isEqualTo(refused.number());
      assertThat(peer).isNotNull();
    }
    assertThat(shared.resolve("never")).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void attributesHaveOtherNames(FsBackEnd daemon) throws Exception {
    Path socket = folder.resolve("socket");
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Path file = Files.createFile(shared.resolve("file"));
    var onHost = Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    onHost.write("hidden", StandardCharsets.UTF_8.encode("the host's"));
    try (Peer peer = daemon.serve(shared, socket, "--xattr", "--xattrmap=:map::user.virtiofs.:");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations guest = client.operations();
      guest.init().ok();
      long node = guest.lookup(ROOT, "file").ok().entry().node();
      guest.setxattr(node, "trusted.seen", new byte[] {1, 2}, 0, false).ok();
      assertThat(onHost.list()).containsExactlyInAnyOrder("hidden", "virtiofs.trusted.seen");
      assertThat(guest.getxattr(node, "trusted.seen", 100).ok().data()).containsExactly(1, 2);
      assertThat(guest.listxattr(node, 1000).ok().text()).isEqualTo("trusted.seen\0");
      // virtiofsd tells the size of the host's list, with what the guest never sees.
      int size = daemon == FsBackEnd.HAWSER ? "trusted.seen".length() + 1 : 39;
      assertThat(guest.listxattr(node, 0).ok().count()).isEqualTo(size);
      guest.removexattr(node, "trusted.seen").ok();
      assertThat(onHost.list()).containsExactly("hidden");
      assertThat(guest.getxattr(node, "user.hidden", 100).error())
          .isEqualTo(Errno.ENODATA.number());
      assertThat(peer).isNotNull();
    }
  }
}
