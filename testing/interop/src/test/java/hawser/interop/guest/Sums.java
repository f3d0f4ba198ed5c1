package hawser.interop.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The checksum of each MiB of a disk: two that differ show where. */
final class Sums {
  private static final int MIB = 1 << 20;

  private Sums() {}

  /** As the guest reads it past its cache. */
  static List<String> inGuest(Machine guest, String disk, int mibs) {
    return guest
        .run(
            "for i in $(seq 0 %d); do dd if=%s iflag=direct bs=1M skip=$i count=1 2>/dev/null | md5sum; done"
                .formatted(mibs - 1, disk))
        .ok()
        .out()
        .lines()
        .map(line -> line.split(" ", 2)[0])
        .toList();
  }

  /** As it is in a raw file. */
  static List<String> ofFile(Path file) throws IOException, NoSuchAlgorithmException {
    byte[] all = Files.readAllBytes(file);
    var lines = new ArrayList<String>();
    for (int at = 0; at < all.length; at += MIB) {
      MessageDigest md5 = MessageDigest.getInstance("MD5");
      md5.update(all, at, Math.min(MIB, all.length - at));
      lines.add(HexFormat.of().formatHex(md5.digest()));
    }
    return lines;
  }
}
