package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** QEMU attaches each device that it has a front-end for, and its guest boots beside it. */
class DeviceGuestTest {
  @ParameterizedTest
  @CsvSource({"vhost-user-rng,", "vhost-user-input, --script=FOLDER/script"})
  void aGuestBootsBesideIt(String program, String options, @TempDir Path folder)
      throws IOException {
    Peers.requires("qemu-system-x86_64");
    Path disk = Files.write(folder.resolve("disk.raw"), BootDisk.bytes());
    Files.writeString(folder.resolve("script"), "1 30 1\n0 0 0\n1 30 0\n0 0 0\n");
    Path socket = folder.resolve("vhost.sock");
    var arguments = new ArrayList<>(List.of("--socket-path=" + socket));
    if (options != null) {
      arguments.addAll(List.of(options.replace("FOLDER", folder.toString()).split(" ")));
    }
    try (Peer backEnd = Side.HAWSER.start(program, arguments.toArray(String[]::new))) {
      backEnd.awaitSocket(socket);
      Ran guest =
          Peers.run(
              BootDisk.machine(
                  "-drive",
                  "format=raw,file=" + disk,
                  "-object",
                  "memory-backend-memfd,id=memory,size=128M,share=on",
                  "-machine",
                  "q35,memory-backend=memory",
                  "-chardev",
                  "socket,id=back-end,path=" + socket,
                  "-device",
                  program + "-pci,chardev=back-end"));
      assertThat(guest.exitCode()).as("%s", guest).isEqualTo(BootDisk.EXIT_CODE_WELL);
      assertThat(guest.out()).isEqualTo(BootDisk.GREETING);
      assertThat(guest.err()).isEmpty();
      assertThat(backEnd.err()).isEmpty();
      assertThat(backEnd.terminate()).isZero();
    }
    assertThat(socket).doesNotExist();
  }
}
