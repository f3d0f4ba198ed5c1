package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Entry;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a guest may believe what it is told, and what it may cache, is what virtiofsd says. */
class CacheModesTest {
  private static final int O_RDWR = 2;
  private static final int O_DIRECT = 0x4000;

  /** What the options under test decide. */
  private static final long DECIDED =
      InitFlags.DO_READDIRPLUS
          | InitFlags.READDIRPLUS_AUTO
          | InitFlags.WRITEBACK_CACHE
          | InitFlags.DIRECT_IO_ALLOW_MMAP;

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--cache=never --allow-mmap",
        "--cache=metadata --allow-mmap --allow-direct-io",
        "--cache=auto --writeback",
        "--cache=always --allow-direct-io"
      })
  void everyModeIsWhatItIsWithVirtiofsd(String options) throws Exception {
    Assumptions.assumeTrue(FsBackEnd.isHere(), "needs virtiofsd");
    assertThat(said(FsBackEnd.HAWSER, options)).isEqualTo(said(FsBackEnd.VIRTIOFSD, options));
  }

  private List<String> said(FsBackEnd program, String options) throws Exception {
    Path shared = Files.createDirectory(temp.resolve("shared-" + program));
    Files.writeString(shared.resolve("file"), "content");
    Path socket = temp.resolve("socket-" + program);
    var said = new ArrayList<String>();
    try (Peer _ = program.serve(shared, socket, options.split(" "));
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      said.add(
          "agreed %x"
              .formatted(fuse.init(42, InitFlags.EVERYDAY | DECIDED).agreed().flags() & DECIDED));
      Entry file = fuse.lookup(ROOT_NODE, "file").entry();
      said.add("lookup " + valid(file));
      said.add("mkdir " + valid(fuse.mkdir(ROOT_NODE, "folder", 0755, 0).entry()));
      said.add("getattr " + attributesValid(fuse.getattr(file.node())));
      Answer.Created created = fuse.create(ROOT_NODE, "new", O_RDWR, 0644, 0).created();
      said.add("create " + valid(created.entry()) + " " + created.opened().flags());
      said.add("open " + fuse.open(file.node(), O_RDWR).opened().flags());
      said.add("direct " + fuse.open(file.node(), O_RDWR | O_DIRECT).opened().flags());
      said.add("opendir " + fuse.opendir(ROOT_NODE).opened().flags());
      fuse.listPlus(ROOT_NODE).stream()
          .filter(one -> one.name().equals("file"))
          .forEach(one -> said.add("listed " + valid(one.entry())));
    }
    return said;
  }

  private static String valid(Entry entry) {
    return entry.entryValid() + " " + entry.attributesValid();
  }

  /** struct fuse_attr_out begins with seconds and nanoseconds. */
  private static String attributesValid(Answer answer) {
    ByteBuffer in = ByteBuffer.wrap(answer.data()).order(ByteOrder.LITTLE_ENDIAN);
    return in.getLong(0) + " s " + in.getInt(8) + " ns";
  }
}
