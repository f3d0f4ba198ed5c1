package hawser.vhost.conform;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.MemoryCalls;
import hawser.sys.SocketAddress;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.BackEndServer;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SharesMemory;
import hawser.vhost.backend.SharesObjects;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.message.Descriptors;
import hawser.vhost.ring.Chain;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cases for what no program of ours has, on devices that have it: rightly, and wrongly. */
class SharingCasesTest {
  @TempDir Path folder;

  /** Shares one region of memory, and gives the objects of others where it is not honest. */
  private record Sharing(long bytes, boolean honest)
      implements Device, SharesMemory, SharesObjects {
    @Override
    public int virtioId() {
      return 42;
    }

    @Override
    public String name() {
      return "sharing";
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public long[] sharedMemory() {
      return new long[] {0, bytes};
    }

    @Override
    public int sharedObject(UUID uuid) {
      return honest ? Descriptors.NONE : (int) MemoryCalls.memfdCreate("stray");
    }

    @Override
    public QueueHandler open(int queue) {
      return (Chain chain) -> chain.complete(0);
    }

    @Override
    public void close() {}
  }

  private Map<String, Verdict> judged(Device device) throws Exception {
    Path socket = folder.resolve("s");
    var found = new TreeMap<String, Verdict>();
    try (var _ =
        BackEndServer.listen(
            device, BackEndOptions.loggingTo(_ -> {}), new SocketAddress.Unix(socket.toString()))) {
      boolean _ =
          Conformance.judge(
              new Subject(socket, FrontEnd.PATIENCE, null),
              SharingCases.ALL,
              (one, verdict) -> found.put(one.name(), verdict));
    }
    return found;
  }

  @Test
  void whoSharesRightlyPasses() throws Exception {
    assertThat(judged(new Sharing(1 << 20, true)))
        .containsEntry("features with what they need", Verdict.PASS)
        .containsEntry("shared object of nobody", Verdict.PASS)
        .containsEntry("shared memory regions", new Verdict.Pass("1 regions"));
  }

  @Test
  void whoSharesWronglyFails() throws Exception {
    assertThat(judged(new Sharing(1000, false)))
        .containsEntry(
            "shared object of nobody", new Verdict.Fail("an object that nobody has shared came"))
        .containsEntry("shared memory regions", new Verdict.Fail("a region has 1000 bytes"));
  }
}
