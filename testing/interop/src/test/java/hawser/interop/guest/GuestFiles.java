package hawser.interop.guest;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The kernel that guests of tests run, and the one archive of files they have. */
final class GuestFiles {
  /** Where {@code testing/peers.sh} unpacks the packages. */
  private static final Path PACKAGES = Side.ROOT.resolve("testing/target/guest");

  private static final Set<String> COMPILED = new HashSet<>();

  private static final List<String> MODULES =
      List.of(
          "virtio_ring.ko",
          "virtio.ko",
          "virtio_pci_modern_dev.ko",
          "virtio_pci_legacy_dev.ko",
          "virtio_pci.ko",
          "virtio_blk.ko",
          "fuse.ko",
          "virtiofs.ko",
          "vsock.ko",
          "vmw_vsock_virtio_transport_common.ko",
          "vmw_vsock_virtio_transport.ko");

  private GuestFiles() {}

  /** Skips the running test when there is no kernel. */
  static void requires() {
    Assumptions.assumeTrue(Files.isDirectory(PACKAGES), "needs the kernel that peers.sh fetches");
  }

  /** The kernel, as a bootloader loads it. */
  static Path kernel() throws IOException {
    return found(file -> name(file).startsWith("vmlinuz-")).getFirst();
  }

  /** Writes the first file system of a guest; answers its path. */
  static Path initramfs(Path folder) throws IOException {
    var archive = new Cpio();
    for (String made : List.of("bin", "lib", "dev", "proc", "sys", "tmp", "mnt")) {
      archive.folder(made);
    }
    archive.file("bin/busybox", Files.readAllBytes(PACKAGES.resolve("bin/busybox")));
    archive.file("init", resource("/guest/init"));
    for (String script : List.of("load", "within")) {
      archive.file("bin/" + script, resource("/guest/" + script));
    }
    for (String program : List.of("held", "vsock")) {
      archive.file("bin/" + program, Files.readAllBytes(compiled(program)));
    }
    for (Path module : found(file -> MODULES.contains(name(file)))) {
      archive.file("lib/" + name(module), Files.readAllBytes(module));
    }
    return Files.write(folder.resolve("initramfs"), archive.bytes());
  }

  /** A program of ours for the guest, which has no libraries; compiled once for each run. */
  private static synchronized Path compiled(String name) throws IOException {
    Peers.requires("gcc");
    Path program = Side.ROOT.resolve("testing/interop/target/guest").resolve(name);
    if (COMPILED.add(name)) {
      Files.createDirectories(program.getParent());
      Path source = Side.ROOT.resolve("testing/interop/src/test/resources/guest/" + name + ".c");
      Ran _ = Peers.run("gcc", "-O1", "-static", "-o", program.toString(), source.toString()).ok();
    }
    return program;
  }

  private static String name(Path file) {
    return file.getFileName().toString();
  }

  private static List<Path> found(java.util.function.Predicate<Path> wanted) throws IOException {
    try (Stream<Path> files = Files.walk(PACKAGES)) {
      return files.filter(wanted).toList();
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = Objects.requireNonNull(GuestFiles.class.getResourceAsStream(name))) {
      return in.readAllBytes();
    }
  }
}
