package hawser.block.format.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.Wire;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reading and writing of headers, and what is said of broken ones. */
class Qcow2HeaderTest {
  private static Qcow2Header header(int version, List<HeaderExtension> extensions) {
    return new Qcow2Header(
        Qcow2Header.MAGIC,
        version,
        0,
        0,
        16,
        1L << 30,
        0,
        2,
        0x30000,
        0x10000,
        1,
        0,
        0,
        0,
        0,
        0,
        4,
        0,
        0,
        KeptBytes.NONE,
        new HeaderExtensions(extensions, false),
        "base.raw");
  }

  private static MemorySegment cluster(int version, HeaderExtension... extensions)
      throws Exception {
    return MemorySegment.ofArray(header(version, List.of(extensions)).toCluster());
  }

  @Test
  void comesBackAsItWasWritten() throws Exception {
    var unknown = new HeaderExtension.Unknown(0x12345678, new KeptBytes(new byte[] {1, 2, 3}));
    var format = new HeaderExtension.BackingFormat("raw");
    Qcow2Header read = Qcow2Header.read(cluster(3, format, unknown));
    assertThat(read.flaws()).isEmpty();
    assertThat(read.backingName()).isEqualTo("base.raw");
    assertThat(read.backingFormat()).isEqualTo("raw");
    assertThat(read.extensions().list()).contains(unknown, format);
    assertThat(read.size()).isEqualTo(1L << 30);
    assertThat(read.toCluster())
        .isEqualTo(Qcow2Header.read(cluster(3, format, unknown)).toCluster());
  }

  @Test
  void version2HasVersion3sDefaults() throws Exception {
    Qcow2Header read = Qcow2Header.read(cluster(2));
    assertThat(read.flaws()).isEmpty();
    assertThat(read.refcountOrder()).isEqualTo(4);
    assertThat(read.headerLength()).isEqualTo(72);
    assertThat(read.incompatible()).isZero();
  }

  @Test
  void unknownFieldsBehindTheHeaderAreKept() throws Exception {
    MemorySegment cluster = cluster(3);
    byte[] old = cluster.asSlice(112, 2000).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    MemorySegment.copy(MemorySegment.ofArray(old), 0, cluster, 120, 2000);
    cluster.set(Wire.BE32, 100, 120);
    cluster.set(Wire.BE64, 112, 0x1122334455667788L);
    Qcow2Header read = Qcow2Header.read(cluster);
    assertThat(read.unknownFields().length()).isEqualTo(8);
    assertThat(MemorySegment.ofArray(read.toCluster()).get(Wire.BE64, 112))
        .isEqualTo(0x1122334455667788L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 4 | 1 | Image is not in qcow2 format",
        "4 | 4 | 1 | Unsupported qcow2 version 1",
        "20 | 4 | 8 | Unsupported cluster size: 2^8",
        "20 | 4 | 22 | Unsupported cluster size: 2^22",
        "36 | 4 | 1 | L1 table is too small",
        "36 | 4 | 2147483647 | Active L1 table too large",
        "40 | 8 | 1 | Active L1 table offset invalid",
        "48 | 8 | 512 | Reference count table offset invalid",
        "56 | 4 | 0 | Image does not contain a reference count table",
        "56 | 4 | 129 | Reference count table too large",
        "60 | 4 | 65537 | Snapshot table too large",
        "72 | 8 | 1024 | Unsupported qcow2 feature(s): Unknown incompatible feature: 400",
        "72 | 8 | 8 | qcow2: Compression type incompatible feature bit must not be set",
        "96 | 4 | 7 | Reference count entry width too large; may not exceed 64 bits",
        "100 | 4 | 96 | qcow2 header too short",
        "8 | 8 | 65537 | Invalid backing file offset",
        "16 | 4 | 1024 | Backing file name too long",
      })
  void firstFlawIsWhatQemuSays(int at, int bytes, long value, String text) throws Exception {
    MemorySegment cluster = cluster(3);
    if (bytes == 4) {
      cluster.set(Wire.BE32, at, (int) value);
    } else {
      cluster.set(Wire.BE64, at, value);
    }
    assertThat(Qcow2Header.read(cluster).flaws().getFirst().text()).isEqualTo(text);
  }

  @Test
  void everyFlawIsFound() throws Exception {
    MemorySegment cluster = cluster(3);
    cluster.set(Wire.BE32, 96, 9);
    cluster.set(Wire.BE64, 40, 1);
    cluster.set(Wire.BE64, 48, 1);
    cluster.set(Wire.BE64, 72, 2);
    assertThat(Qcow2Header.read(cluster).flaws())
        .extracting(Flaw::text)
        .containsExactly(
            "qcow2: Image is corrupt; cannot be opened read/write",
            "Reference count entry width too large; may not exceed 64 bits",
            "Reference count table offset invalid",
            "Active L1 table offset invalid");
  }

  @Test
  void anExtensionThatRunsOverItsEndIsAFlaw() throws Exception {
    MemorySegment cluster = cluster(3, new HeaderExtension.BackingFormat("raw"));
    cluster.set(Wire.BE32, 116, 0x7fffffff);
    assertThat(Qcow2Header.read(cluster).flaws())
        .extracting(Flaw::text)
        .contains("Header extension too large");
  }
}
