package hawser.interop.up;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UpTest {
  private static final int SIZE = 4 << 20;

  @TempDir Path temp;
  private Path socket;
  private Path image;

  @BeforeEach
  void makeImage() throws Exception {
    socket = temp.resolve("hawser-data/nbd.sock");
    image = temp.resolve("disk.raw");
    Files.write(image, new byte[SIZE]);
  }

  private Peer up(String... arguments) {
    String[] all = Arrays.copyOf(new String[] {"-p", "0"}, arguments.length + 2);
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return Side.HAWSER.startIn(temp, "up", all);
  }

  private Peer upWithImage() {
    return up("-f", "raw", image.toString()).awaitText("Ctrl-C");
  }

  private String uri() {
    return "nbd+unix:///?socket=" + socket;
  }

  private static String tcp(Peer server) {
    return server
        .out()
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("nbd://"))
        .findFirst()
        .orElseThrow();
  }

  private static byte[] random(int bytes) {
    var content = new byte[bytes];
    new Random(1).nextBytes(content);
    return content;
  }

  @Test
  void clientsReadAndWriteThroughBothSockets() throws Exception {
    Peers.requires("nbdinfo", "nbdcopy");
    Path filled = Files.write(temp.resolve("filled.raw"), random(SIZE));
    Path copy = temp.resolve("copy.raw");
    try (Peer server = upWithImage()) {
      assertThat(Peers.run("nbdinfo", "--json", uri()).ok().out())
          .contains("\"export-size\": " + SIZE);
      Peers.run("nbdcopy", filled.toString(), tcp(server)).ok();
      Peers.run("nbdcopy", uri(), copy.toString()).ok();
      assertThat(copy).hasSameBinaryContentAs(filled);
      assertThat(server.out()).contains("through the unix socket").contains("through port");
      assertThat(server.terminate()).isZero();
      assertThat(server.out()).contains("stopped").contains("is gone");
    }
    assertThat(image).hasSameBinaryContentAs(filled);
    assertThat(socket).doesNotExist();
  }

  @Test
  void withoutAnImageItMakesOneThatLasts() throws Exception {
    Peers.requires("nbdinfo", "nbdcopy", "qemu-io", "qemu-img");
    Path filled = Files.write(temp.resolve("filled.raw"), random(SIZE));
    Path disk = temp.resolve("hawser-data/disk.qcow2");
    try (Peer server = up().awaitText("Ctrl-C")) {
      assertThat(server.out()).contains("made hawser-data/disk.qcow2");
      assertThat(Peers.run("nbdinfo", "--size", uri()).ok().out()).isEqualTo((10L << 30) + "\n");
      Peers.run("nbdcopy", filled.toString(), uri()).ok();
      assertThat(server.terminate()).isZero();
    }
    Peers.run("qemu-img", "check", disk.toString()).ok();
    assertThat(Files.size(disk)).isLessThan(64 << 20);
    try (Peer server = up().awaitText("Ctrl-C")) {
      assertThat(server.out()).doesNotContain("made");
      Peers.run("qemu-io", "-f", "raw", "-c", "write -P 9 1M 64k", uri()).ok();
      assertThat(server.terminate()).isZero();
    }
    Peers.run("qemu-img", "check", disk.toString()).ok();
    Peers.run(
            "qemu-io",
            "-f",
            "raw",
            "-c",
            "write -q -P 9 1M 64k",
            "-c",
            "truncate 10G",
            filled.toString())
        .ok();
    Peers.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", filled.toString(), disk.toString())
        .ok();
  }

  @Test
  void interruptFromTheKeyboardStopsItToo() throws Exception {
    try (Peer server = upWithImage()) {
      Peers.run("kill", "-INT", String.valueOf(server.process().pid())).ok();
      assertThat(server.await()).isZero();
    }
  }

  @Test
  void stoppingWithAConnectedClientIsClean() {
    Peers.requires("qemu-io");
    try (Peer server = upWithImage();
        Peer client = Peers.start("qemu-io", "-f", "raw", "-c", "sleep 100000", uri())) {
      server.awaitText("is connected");
      assertThat(server.terminate()).isZero();
      assertThat(client.process().isAlive()).isTrue();
      client.kill();
    }
  }

  @Test
  void whatAKilledServerLeftIsNotInTheWay() {
    try (Peer server = upWithImage()) {
      server.kill();
    }
    assertThat(socket).exists();
    try (Peer server = upWithImage()) {
      assertThat(server.terminate()).isZero();
    }
  }

  @Test
  void aSecondServerIsToldWhatIsTaken() throws Exception {
    Path other = Files.write(temp.resolve("other.raw"), new byte[SIZE]);
    try (Peer server = upWithImage()) {
      try (Peer second = up("-f", "raw", other.toString())) {
        assertThat(second.await()).isOne();
        assertThat(second.err()).startsWith("hawser up: ").contains("nbd.sock is in use");
      }
      String port = tcp(server).replaceFirst(".*:", "");
      String[] sameDisk = {"-f", "raw", "-k", "a.sock", image.toString()};
      try (Peer third = up(sameDisk)) {
        assertThat(third.await()).isOne();
        assertThat(third.err()).contains("lock");
      }
      try (Peer fourth = up("-f", "raw", "-k", "b.sock", "-p", port, other.toString())) {
        assertThat(fourth.await()).isOne();
        assertThat(fourth.err()).contains("port " + port + " of 127.0.0.1 is taken");
      }
      assertThat(temp.resolve("b.sock")).doesNotExist();
    }
  }

  @Test
  void aFolderIsSharedBesideTheDisk() throws Exception {
    Path folder = Files.createDirectory(temp.resolve("folder"));
    Files.writeString(folder.resolve("greeting"), "hello");
    Path shared = temp.resolve("hawser-data/fs.sock");
    try (Peer server =
        up("-f", "raw", "--share", folder.toString(), image.toString()).awaitText("Ctrl-C")) {
      assertThat(server.out())
          .contains("path=" + shared, "-device vhost-user-fs-pci,chardev=s,tag=share");
      try (FuseClient guest = FuseClient.connect(shared, 1)) {
        FuseOperations fuse = guest.operations();
        fuse.init().ok();
        long node = fuse.lookup(FuseOperations.ROOT_NODE, "greeting").ok().entry().node();
        long handle = fuse.open(node, 0).ok().opened().handle();
        assertThat(fuse.read(node, handle, 0, 100).ok().data()).asString().isEqualTo("hello");
        fuse.create(FuseOperations.ROOT_NODE, "made", 2, 0644, 0).ok();
        assertThat(folder.resolve("made")).exists();
      }
      ProcessHandle daemon = server.process().toHandle().children().findAny().orElseThrow();
      assertThat(server.terminate()).as(server.err()).isZero();
      assertThat(daemon.isAlive()).isFalse();
      assertThat(server.err()).isEmpty();
    }
    assertThat(shared).doesNotExist();
  }

  @Test
  void whoSharesAFolderDoesNotOutliveAServerThatIsKilled() throws Exception {
    Path folder = Files.createDirectory(temp.resolve("folder"));
    Path shared = temp.resolve("hawser-data/fs.sock");
    try (Peer server =
        up("-f", "raw", "--share", folder.toString(), image.toString()).awaitText("Ctrl-C")) {
      try (FuseClient guest = FuseClient.connect(shared, 1)) {
        guest.operations().init().ok();
        List<ProcessHandle> daemons = server.process().descendants().toList();
        assertThat(daemons).isNotEmpty();
        server.kill();
        daemons.forEach(each -> each.onExit().join());
      }
    }
  }

  @Test
  void aFolderThatIsNotThereIsNotShared() {
    try (Peer server = up("-f", "raw", "--share", "nowhere", image.toString())) {
      assertThat(server.await()).isOne();
      assertThat(server.err()).contains("--share: nowhere does not exist");
    }
  }

  @Test
  void readOnlyRefusesWrites() {
    Peers.requires("qemu-io");
    try (Peer server = up("-r", "-f", "raw", image.toString()).awaitText("Ctrl-C")) {
      assertThat(server.out()).contains("read-only");
      var write = Peers.run("qemu-io", "-f", "raw", "-c", "write 0 512", uri());
      assertThat(write.exitCode()).isNotZero();
      Peers.run("qemu-io", "-r", "-f", "raw", "-c", "read 0 512", uri()).ok();
    }
  }

  @Test
  void aGuestBootsFromItAndWritesToIt() throws Exception {
    Peers.requires("qemu-system-x86_64");
    byte[] sector = bootSector();
    byte[] content = new byte[SIZE];
    System.arraycopy(sector, 0, content, 0, sector.length);
    Files.write(image, content);
    try (Peer server = upWithImage()) {
      var guest =
          Peers.run(
              "qemu-system-x86_64",
              "-accel",
              "tcg",
              "-m",
              "32",
              "-display",
              "none",
              "-nic",
              "none",
              "-device",
              "isa-debug-exit,iobase=0xf4,iosize=1",
              "-drive",
              "file=" + uri() + ",format=raw,if=ide");
      assertThat(guest.exitCode()).as(guest.toString()).isEqualTo(WRITTEN << 1 | 1);
      assertThat(server.terminate()).isZero();
    }
    byte[] disk = Files.readAllBytes(image);
    assertThat(Arrays.copyOfRange(disk, 512, 1024)).isEqualTo(sector);
  }

  /** What the guest hands to isa-debug-exit when its BIOS has written the sector. */
  private static final int WRITTEN = 0x10;

  /** Asks the BIOS to write this very sector to the next one, and ends the machine. */
  private static byte[] bootSector() {
    int[] code = {
      0x31, 0xC0, // xor ax, ax
      0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, // mov ds, es, ss, ax
      0xBC, 0x00, 0x7C, // mov sp, 0x7c00
      0xBB, 0x00, 0x7C, // mov bx, 0x7c00: from here
      0xB8, 0x01, 0x03, // mov ax, 0x0301: write one sector
      0xB9, 0x02, 0x00, // mov cx, 2: the second
      0xB6, 0x00, // mov dh, 0
      0xCD, 0x13, // int 0x13
      0x0F, 0x92, 0xC0, // setc al
      0x04, WRITTEN, // add al, WRITTEN
      0xE6, 0xF4, // out 0xf4, al
      0xFA, 0xF4, // cli; hlt
    };
    var sector = new byte[512];
    for (int i = 0; i < code.length; i++) {
      sector[i] = (byte) code[i];
    }
    sector[510] = 0x55;
    sector[511] = (byte) 0xAA;
    return sector;
  }
}
