package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** New images: the same bytes as qemu-img's, the same room measured, the same refusals. */
class CreateTest {
  @TempDir Path folder;

  private void create(String name, String options, String size) throws BlockFault {
    Opener opener = new Opener(OpenPolicy.ANYTHING);
    Driver qcow2 = opener.driver("qcow2").orElseThrow();
    var given = new CreateOptions(qcow2.createOptions(), List.of());
    given.parse(options);
    given.set("size", size);
    qcow2.create(folder.resolve(name).toString(), given, opener);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compat=1.1",
        "compat=0.10",
        "cluster_size=512",
        "cluster_size=4096",
        "cluster_size=2M",
        "refcount_bits=1",
        "refcount_bits=64,lazy_refcounts=on",
        "extended_l2=on",
        "compression_type=zstd",
        "backing_file=base.raw,backing_fmt=raw",
        "cluster_size=16k,extended_l2=on,backing_file=base.raw,backing_fmt=raw"
      })
  void writesTheSameBytes(String options) throws Exception {
    Peers.requires("qemu-img");
    Files.write(folder.resolve("base.raw"), new byte[512]);
    for (String size : List.of("0", "512", "1048576", "9M")) {
      Path theirs = folder.resolve("theirs.qcow2");
      Peers.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, theirs.toString(), size)
          .ok();
      create("ours.qcow2", options, size);
      assertThat(Files.readAllBytes(folder.resolve("ours.qcow2")))
          .as(options + " " + size)
          .isEqualTo(Files.readAllBytes(theirs));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "preallocation=metadata | 64M",
        "preallocation=falloc | 5M",
        "preallocation=full,cluster_size=4096 | 1000448",
        "preallocation=metadata,extended_l2=on | 64M",
        "preallocation=metadata,cluster_size=512,refcount_bits=64 | 30M",
        "cluster_size=512 | 1G",
        "data_file=DATA | 3M",
        "data_file=DATA,data_file_raw=on | 3M",
        "data_file=DATA,preallocation=falloc | 3M"
      })
  void consistentForQemu(String options, String size) throws Exception {
    Peers.requires("qemu-img");
    create("ours.qcow2", options.replace("DATA", folder.resolve("data").toString()), size);
    String ours = folder.resolve("ours.qcow2").toString();
    Peers.run("qemu-img", "check", ours).ok();
    Path empty = folder.resolve("empty.raw");
    Peers.run("qemu-img", "create", "-q", "-f", "raw", empty.toString(), size).ok();
    Peers.run("qemu-img", "compare", ours, empty.toString()).ok();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=1234",
        "cluster_size=256",
        "cluster_size=4M",
        "refcount_bits=13",
        "compat=0.10,refcount_bits=1",
        "compat=0.10,lazy_refcounts=on",
        "compat=0.10,extended_l2=on",
        "compat=0.42",
        "extended_l2=on,cluster_size=8k",
        "compression_type=lzma",
        "compat=0.10,compression_type=zstd",
        "data_file_raw=on",
        "preallocation=1234"
      })
  void refusesInTheSameWords(String options) {
    Peers.requires("qemu-img");
    String name = folder.resolve("refused.qcow2").toString();
    Ran theirs = Peers.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, name, "64M");
    assertThat(theirs.exitCode()).isEqualTo(1);
    try {
      create("refused.qcow2", options, "64M");
    } catch (BlockFault fault) {
      assertThat("qemu-img: " + name + ": " + fault.getMessage())
          .isEqualTo(theirs.err().strip().lines().findFirst().orElseThrow());
      return;
    }
    throw new AssertionError(options + " was accepted");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cluster_size=65536 | 1G",
        "cluster_size=512 | 123M",
        "cluster_size=2M,extended_l2=on | 5T",
        "refcount_bits=1,preallocation=full | 77M",
        "compat=0.10 | 0",
        "cluster_size=4096,refcount_bits=64 | 3G"
      })
  void measuresTheSame(String options, String size) throws Exception {
    Peers.requires("qemu-img");
    Opener opener = new Opener(OpenPolicy.ANYTHING);
    Driver qcow2 = opener.driver("qcow2").orElseThrow();
    var given = new CreateOptions(qcow2.createOptions(), List.of());
    given.parse(options);
    given.set("size", size);
    var measured = qcow2.measure(given, null);
    Ran theirs = Peers.run("qemu-img", "measure", "-O", "qcow2", "-o", options, "--size", size);
    assertThat(
            "required size: %d\nfully allocated size: %d\n"
                .formatted(measured.required(), measured.fullyAllocated()))
        .isEqualTo(theirs.ok().out());
  }
}
