package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reads of sparse disks are answered by the same chunks of data and holes as qemu-nbd's. */
class ReadChunksTest {
  private static final int K = 1024;
  private static final int OPT_STRUCTURED = 8;
  private static final int OPT_EXTENDED = 11;
  private static final int OPT_GO = 7;
  private static final int ACK = 1;
  private static final int DF = 4;
  private static final int DONE = 1;

  /** Offset and length; the disk has data in 64..128 and 512..576 KiB. */
  private static final int[][] READS = {
    {0, 64 * K},
    {64 * K, 64 * K},
    {0, 1024 * K},
    {32 * K, 64 * K},
    {96 * K, 480 * K},
    {128 * K + 512, 384 * K},
    {100, 200 * K},
    {64 * K, 4 * K},
    {4 * K, 4 * K},
  };

  @TempDir Path temp;

  @BeforeEach
  void peers() {
    Peers.requires("qemu-img", "qemu-io", "qemu-nbd");
  }

  private Path image(String format) throws IOException {
    Path image = temp.resolve("disk." + format);
    if (format.equals("raw")) {
      // qemu-img would write zeroes to the first block.
      try (var file = new RandomAccessFile(image.toFile(), "rw")) {
        file.setLength(1024 * K);
      }
    } else {
      Peers.run("qemu-img", "create", "-qf", format, image.toString(), "1M").ok();
    }
    Peers.run("qemu-io", "-f", format, "-c", "write 64k 64k", "-c", "write 512k 64k", "" + image)
        .ok();
    return image;
  }

  /** What each read is answered by: kind, offset and length of each chunk, and the data's sum. */
  private List<String> answers(Side side, String format, Path image, boolean extended, int flags)
      throws Exception {
    Path socket = temp.resolve(side + ".sock");
    var answers = new ArrayList<String>();
    try (Peer server =
            side.start("qemu-nbd", "-t", "-r", "-f", format, "-k", "" + socket, "" + image)
                .awaitSocket(socket);
        var client = new HostileClient(socket)) {
      client.send(
          HostileClient.joined(
              HostileClient.flags(),
              HostileClient.option(extended ? OPT_EXTENDED : OPT_STRUCTURED, new byte[0]),
              HostileClient.option(OPT_GO, HostileClient.export())));
      client.receive(18);
      greet(client);
      for (int[] read : READS) {
        client.send(HostileClient.request(extended, flags, 0, read[0], read[1]));
        answers.add(read[0] + "+" + read[1] + ":" + answer(client, extended));
      }
      assertThat(server.process().isAlive()).isTrue();
    }
    return answers;
  }

  /** Reads replies to options up to the acknowledgement of the last one. */
  private static void greet(HostileClient client) throws Exception {
    int option = 0;
    int type = 0;
    while (option != OPT_GO || type != ACK) {
      ByteBuffer reply = client.receive(20);
      option = reply.getInt(8);
      type = reply.getInt(12);
      client.receive(reply.getInt(16));
    }
  }

  private static String answer(HostileClient client, boolean extended) throws Exception {
    var answer = new StringBuilder();
    for (boolean done = false; !done; ) {
      ByteBuffer header = client.receive(extended ? 32 : 20);
      done = (header.getShort(4) & DONE) != 0;
      int payload = extended ? (int) header.getLong(24) : header.getInt(16);
      ByteBuffer body = client.receive(payload);
      switch (header.getShort(6)) {
        case 0 -> answer.append(" none");
        case 1 -> {
          int sum = body.slice(8, payload - 8).hashCode();
          answer.append(" data %d+%d #%x".formatted(body.getLong(0), payload - 8, sum));
        }
        case 2 -> answer.append(" hole %d+%d".formatted(body.getLong(0), body.getInt(8)));
        default -> throw new AssertionError("chunk type " + header.getShort(6));
      }
    }
    return answer.toString();
  }

  @ParameterizedTest
  @CsvSource({"raw,false,0", "qcow2,false,0", "qcow2,true,0", "qcow2,false,4", "raw,true,4"})
  void ofASparseDisk(String format, boolean extended, int flags) throws Exception {
    Path image = image(format);
    List<String> theirs = answers(Side.QEMU, format, image, extended, flags);
    assertThat(answers(Side.HAWSER, format, image, extended, flags)).isEqualTo(theirs);
    assertThat(theirs.toString().contains("hole")).isEqualTo(flags != DF);
  }

  @Test
  void zeroesThatWereWrittenAreDataForQemuAndAHoleHere() throws Exception {
    Path image = Files.write(temp.resolve("zero.raw"), new byte[1024 * K]);
    assertThat(answers(Side.QEMU, "raw", image, false, 0).getFirst()).contains("data 0+65536");
    assertThat(answers(Side.HAWSER, "raw", image, false, 0).getFirst())
        .isEqualTo("0+65536: hole 0+65536");
  }
}
