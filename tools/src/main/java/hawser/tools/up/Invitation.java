package hawser.tools.up;

import hawser.nbd.NbdUri;
import hawser.tools.Terminal;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What to type next: addresses, and commands to paste. */
final class Invitation {
  private Invitation() {}

  static void print(Service service, @Nullable SharedFolder share, Terminal io) {
    String port = service.port() == UpProgram.PORT ? "" : ":" + service.port();
    String tcp = "nbd://127.0.0.1" + port;
    String unix = "nbd+unix:///" + NbdUri.socketQuery(service.socket().toString());
    Path blk = service.guestSocket();
    io.line("");
    io.line("  " + tcp);
    io.line("  " + unix);
    io.line("");
    io.line("  nbdinfo " + tcp);
    io.line("  nbdcopy disk.raw " + tcp + "          fill it");
    io.line("  nbdcopy " + tcp + " copy.raw          copy it out");
    io.line("  qemu-system-x86_64 -m 1G -drive file=" + tcp + ",format=raw,if=virtio");
    io.line("");
    if (blk != null) {
      io.line("  qemu-system-x86_64 -m 1G -object memory-backend-memfd,id=m,size=1G,share=on \\");
      io.line("    -machine q35,memory-backend=m -chardev socket,id=c,path=" + blk + " \\");
      io.line("    -device vhost-user-blk-pci,chardev=c          the same disk, over vhost-user");
      io.line("");
    }
    if (share != null) {
      io.line("  qemu-system-x86_64 -m 1G -object memory-backend-memfd,id=m,size=1G,share=on \\");
      io.line(
          "    -machine q35,memory-backend=m -chardev socket,id=s,path=" + share.socket() + " \\");
      io.line("    -device vhost-user-fs-pci,chardev=s,tag=share     the folder " + share.folder());
      io.line("  mount -t virtiofs share /mnt                        in the guest");
      io.line("");
    }
    io.line("Ctrl-C stops.");
    io.flush();
  }
}
