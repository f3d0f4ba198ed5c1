package hawser.interop.io;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the same commands with qemu-io and with ours, each on a fresh disk, and compares output,
 * errors, exit code and what the disk then holds. Only times and rates may differ.
 */
class SameAsQemuIoTest {
  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-f raw DISK; read 0 512; write -P 0x55 1k 3k; read -P 0x55 1k 3k; read -v 1016 32",
        "-f raw DISK; read -P 1 0 512; read -P 0 -s 10 -l 20 0 512; read -s 5 0 512",
        "-f raw DISK; read -P 0 -s 500 -l 20 0 512; read -P 256 0 512; read -P -1 0 512",
        "-f raw DISK; write 1M 512; read 1M 1; read 1048575 1; read 1048575 2; write 2M 0",
        "-f raw DISK; write 1x 512; write 0 1.5z; write 8E 512; read 0x 1; read -l q 0 1",
        "-f raw DISK; write 0 2G; write -z -n 0 512k; write -z -u 64k 64k; write -n 0 512",
        "-f raw DISK; write -z -P 1 0 512; write -u 0 512; write -b -z 0 512; write -f -c 0 512",
        "-f raw DISK; write -b 1 512; read -b 0 512; write -c 0 1; write -z -r 0 512",
        "-f raw DISK; writev -P 7 0 1k 2k 3k; readv -P 7 0 6k; readv -v 6140 4 8; readv 0 5G",
        "-f raw DISK; readv -P 1 0 512 512; writev 0 1G 1G; readv 0",
        "-f raw DISK; aio_write -P 9 0 4k; aio_flush; aio_read -P 9 0 2k 2k; aio_flush",
        "-f raw DISK; aio_write -z 0 1k; aio_flush; aio_write -z 0 1k 1k; aio_write -u 0 1k",
        "-f raw DISK; aio_read -i 0 1; aio_write -i 0 1; aio_read 2M 512; aio_flush",
        "-f raw DISK; discard 0 64k; discard 1M 1; discard 0; length; map; alloc 0; alloc 512 1M",
        "-f raw DISK; truncate 2M; length; truncate 100; length; truncate -m full 64k; map",
        "-f raw DISK; truncate -m lots 1M; truncate -m metadata 2M; info; flush; close; length",
        "-f raw DISK; foo; read; read 0 1 2; length 1; help foo; help length; sleep x; sleep 1",
        "-f raw DISK; open DISK; close; close; open -r DISK; write 0 512; quit; length",
        "-r -f raw DISK; write 0 512; discard 0 512; truncate 1; read 0 512; reopen -w; write 0 1",
        "-f raw DISK; reopen -r; write 0 512; reopen -r -w; reopen -c wb; reopen -c no; reopen x",
        "-s -f raw DISK; write -P 3 0 1k; read -P 3 0 1k; read -P 0 1k 1k",
        "-n -f raw DISK; write -P 3 100 1000; read -P 3 100 1000; read -P 0 0 100",
        "-m -n -f raw DISK; write -P 3 0 4096; read -P 3 0 4096",
        "-t none -f raw DISK; length",
        "-t odd -f raw DISK; length",
        "-d odd -f raw DISK; length",
        "-i odd -f raw DISK; length",
        "-f odd DISK; length",
        "-f raw absent; length",
        "--image-opts driver=raw,offset=512,size=1024,file.filename=DISK; length; write 512 512",
        "--image-opts driver=raw,file.driver=blkdebug,file.align=4k,file.image.filename=DISK;"
            + " write -P 5 700 5000; read -P 5 700 5000; read -P 0 0 700",
        "--image-opts -f raw DISK; length",
        "blkdebug::DISK; break write_aio A; aio_write 0 512; wait_break A; resume A; aio_flush",
        "blkdebug::DISK; break nothing A; resume A; remove_break A; read 0 512",
        "--object foo,id=x null-co://; length",
        "--object secret,id=s,data=abc -r null-co://; length",
        "--object throttle-group,id=g,x-iops-total=10,x-iops-total-max=5 null-co://; length",
        "--object throttle-group,id=g --object throttle-group,id=g null-co://; length",
        "--object throttle-group,id=g,x-iops-total=10 --image-opts"
            + " driver=throttle,throttle-group=g,file.driver=null-co; length; read 0 512",
        "--image-opts driver=throttle,throttle-group=h,file.driver=null-co; length",
        "--image-opts driver=throttle,file.driver=null-co; length",
        "-f raw -C DISK; write -P 1 0 1k; read -P 1 0 1k",
        "-f raw -r -C DISK; read 0 1k",
        "null-co://; length; read 0 512; write 0 1M",
        "-f raw DISK; reopen -o driver=qcow2; reopen -o node-name=x; reopen -o file.driver=qcow2",
        "-f raw DISK; reopen -o driver=raw,file.driver=file; reopen -c none -o cache.direct=on",
        "-f raw DISK; reopen -o cache.direct=x; reopen -o cache.no-flush=x; reopen -o read-only=x",
        "-f raw null-co://; info",
        "null-co://; info",
        "--image-opts driver=file,filename=DISK; info; reopen -o driver=null-co",
        "-f raw DISK; zone_report 0 1; zone_open 0 512; sigraise 1000; sigraise z",
      })
  void sameWords(String script) throws Exception {
    Peers.requires("qemu-io");
    Ran theirs = run(script, "theirs", Side.QEMU);
    Ran ours = run(script, "ours", Side.HAWSER);
    assertThat(masked(ours.err())).isEqualTo(masked(theirs.err()));
    assertThat(masked(ours.out())).isEqualTo(masked(theirs.out()));
    assertThat(ours.exitCode()).isEqualTo(theirs.exitCode());
    assertThat(Files.readAllBytes(temp.resolve("ours.img")))
        .isEqualTo(Files.readAllBytes(temp.resolve("theirs.img")));
  }

  private Ran run(String script, String name, Side side) throws Exception {
    Path disk = temp.resolve(name + ".img");
    Files.write(disk, new byte[1 << 20]);
    List<String> arguments = arguments(script.replace("DISK", disk.toString()));
    return InProcess.ioOf(side, arguments);
  }

  /** The first part is the command line; each later one is a command. */
  private static List<String> arguments(String script) {
    String[] parts = script.split(" *; *", -1);
    var arguments = new ArrayList<>(List.of(parts[0].split(" +", -1)));
    for (int i = 1; i < parts.length; i++) {
      arguments.add("-c");
      arguments.add(parts[i]);
    }
    return arguments;
  }

  private static String masked(String text) {
    return text.replaceAll("ops; .*", "ops; TIME").replaceAll("(ours|theirs)\\.img", "DISK");
  }
}
