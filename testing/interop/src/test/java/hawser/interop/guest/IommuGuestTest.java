package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest whose disk sits behind an Intel IOMMU: QEMU gives the back-end a translation for every
 * page that it asks for, and takes it back when the guest unmaps it. With {@code iommu.strict=0} it
 * takes back all there are, again and again. QEMU 10 complains once of a translation that fails: it
 * looks itself at the ring that the firmware left, when the guest's IOMMU is on already.
 */
class IommuGuestTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"off, 1", "on, 1", "off, 0"})
  void theDiskWorks(String packed, int strict) throws Exception {
    Path image = folder.resolve("disk.raw");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(32 << 20);
    }
    Path socket = folder.resolve("s");
    try (Peer backEnd = GuestBackEnd.HAWSER.serve(image, "raw", socket);
        Machine guest = Machine.boot(folder.resolve("machine"), line(socket, packed, strict))) {
      // The driver has agreed to VIRTIO_F_ACCESS_PLATFORM, and the IOMMU works.
      guest.run("[ $(cut -c34 /sys/block/vda/device/features) = 1 ]").ok();
      guest.run("[ -e /sys/kernel/iommu_groups/0 ]").ok();
      guest.run("mke2fs /dev/vda && mount -t ext2 /dev/vda /mnt").ok();
      guest.run("dd if=/dev/urandom of=/mnt/a bs=1M count=4 && cp /mnt/a /mnt/b && sync").ok();
      guest.run("echo 3 >/proc/sys/vm/drop_caches; cmp /mnt/a /mnt/b && umount /mnt").ok();
      List<String> sums = Sums.inGuest(guest, "/dev/vda", 32);
      guest.execute("quit", "{}");
      assertThat(guest.qemu().await()).as(guest.qemu().err()).isZero();
      assertThat(backEnd.terminate()).as(backEnd.err()).isZero();
      assertThat(backEnd.err()).isEmpty();
      assertThat(sums).isEqualTo(Sums.ofFile(image));
    }
  }

  private static String[] line(Path socket, String packed, int strict) {
    return new String[] {
      "-device",
      "intel-iommu,intremap=off,device-iotlb=on",
      "-append",
      "console=ttyS0 quiet panic=1 no_timer_check random.trust_cpu=on intel_iommu=on iommu.strict="
          + strict,
      "-chardev",
      "socket,id=back-end,path=" + socket,
      "-device",
      "vhost-user-blk-pci,chardev=back-end,num-queues=1,iommu_platform=on,ats=on,disable-legacy=on,packed="
          + packed
    };
  }
}
