package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.interop.fs.FsBackEnd;
import hawser.testkit.Peer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A Linux guest mounts a folder that we share, and works in it. */
class SharedFolderTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"never", "mandatory"})
  void aGuestWorksInIt(String handles) throws Exception {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Files.writeString(shared.resolve("greeting"), "hello\n");
    Path socket = folder.resolve("fs.sock");
    String how = "--inode-file-handles=" + handles;
    try (Peer daemon = FsBackEnd.HAWSER.serve(shared, socket, how, "--xattr", "--log-level=warn");
        Machine guest = Machine.boot(folder.resolve("guest"), Machine.share(socket, ""))) {
      assertThat(guest.run("mount -t virtiofs lab /mnt && cat /mnt/greeting").ok().out())
          .isEqualTo("hello\n");
      guest
          .run(
              "cd /mnt && mkdir -p a/b/c && echo text >a/b/c/file && ln -s file a/b/c/link"
                  + " && cp a/b/c/file copy && mv copy a/moved && ln a/moved hard && chmod 640 hard"
                  + " && chown 1234:5678 hard && touch -d '2001-02-03 04:05:06' a && rm greeting"
                  + " && dd if=/dev/zero of=big bs=1M count=8 && truncate -s 5M big"
                  + " && mkfifo pipe && mknod null c 1 3 && sync")
          .ok();
      assertThat(shared.resolve("a/b/c/link").toRealPath().toFile()).hasContent("text\n");
      assertThat(shared.resolve("hard")).hasContent("text\n");
      assertThat(Files.getAttribute(shared.resolve("hard"), "unix:uid")).isEqualTo(1234);
      assertThat(Files.getAttribute(shared.resolve("hard"), "unix:mode")).isEqualTo(0100640);
      assertThat(Files.getAttribute(shared.resolve("hard"), "unix:nlink")).isEqualTo(2);
      assertThat(Files.getLastModifiedTime(shared.resolve("a")).toString())
          .isEqualTo("2001-02-03T04:05:06Z");
      assertThat(Files.size(shared.resolve("big"))).isEqualTo(5 << 20);
      assertThat(shared.resolve("greeting")).doesNotExist();
      assertThat(guest.run("cd /mnt && find . | sort").ok().out())
          .isEqualTo(
              ".\n./a\n./a/b\n./a/b/c\n./a/b/c/file\n./a/b/c/link\n./a/moved\n./big\n./hard\n"
                  + "./null\n./pipe\n");
      guest.run("cd / && umount /mnt").ok();
      guest.execute("quit", "{}");
      assertThat(daemon.err()).isEmpty();
      assertThat(daemon.terminate()).isZero();
    }
  }
}
