package hawser.fuzz.crash;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.BlkdebugEvent;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every request to the file of small workloads fails once, with EIO, and for a while, ENOSPC. */
class FaultExplorerTest {
  private static final long SEED = Long.getLong("hawser.seed", 2000);
  private static final int WORKLOADS = 24;
  private static final int REQUESTS = 30;

  @TempDir Path folder;

  @Test
  void noErrorCorruptsOrLosesWhateverItMeets() throws Exception {
    var qemu = new QemuCheck(folder);
    Set<BlkdebugEvent> met = EnumSet.noneOf(BlkdebugEvent.class);
    for (int i = 0; i < WORKLOADS; i++) {
      met.addAll(FaultExplorer.explore(SEED + i, REQUESTS, qemu::findsLeaksAtMost));
    }
    assertThat(met)
        .contains(
            BlkdebugEvent.L1_UPDATE,
            BlkdebugEvent.L1_GROW_ALLOC_TABLE,
            BlkdebugEvent.L1_GROW_WRITE_TABLE,
            BlkdebugEvent.L1_GROW_ACTIVATE_TABLE,
            BlkdebugEvent.L2_LOAD,
            BlkdebugEvent.L2_UPDATE,
            BlkdebugEvent.L2_ALLOC_WRITE,
            BlkdebugEvent.WRITE_AIO,
            BlkdebugEvent.WRITE_COMPRESSED,
            BlkdebugEvent.COW_READ,
            BlkdebugEvent.COW_WRITE,
            BlkdebugEvent.REFTABLE_GROW,
            BlkdebugEvent.REFBLOCK_ALLOC,
            BlkdebugEvent.REFBLOCK_ALLOC_WRITE_BLOCKS,
            BlkdebugEvent.REFBLOCK_LOAD,
            BlkdebugEvent.REFBLOCK_UPDATE_PART,
            BlkdebugEvent.REFBLOCK_ALLOC_HOOKUP,
            BlkdebugEvent.REFBLOCK_ALLOC_WRITE_TABLE,
            BlkdebugEvent.REFBLOCK_ALLOC_SWITCH_TABLE,
            BlkdebugEvent.CLUSTER_ALLOC,
            BlkdebugEvent.FLUSH_TO_DISK);
  }
}
