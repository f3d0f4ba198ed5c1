package hawser.block.inspect;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.OptionalLong;

/**
 * Judges an image by its first bytes and its tables' places. Reads the one file it is given and
 * never more than a bounded part of it; opens nothing. Safe from any thread.
 */
public final class Inspector {
  /** Enough for the signature of every format named below. */
  private static final int HEAD_BYTES = 512;

  /** Formats that are recognised, to be refused, for nobody here can judge them. */
  private enum Stranger {
    QED("qed", 0, "QED\0"),
    LUKS("luks", 0, "LUKS\u00ba\u00be"),
    PARALLELS("parallels", 0, "WithoutFreeSpace"),
    PARALLELS_EXTENDED("parallels", 0, "WithouFreSpacExt"),
    VMDK("vmdk", 0, "KDMV"),
    VMDK_COW("vmdk", 0, "COWD"),
    VMDK_TEXT("vmdk", 0, "# Disk DescriptorFile"),
    VHDX("vhdx", 0, "vhdxfile"),
    VPC("vpc", 0, "conectix"),
    VDI("vdi", 64, "\u007f\u0010\u00da\u00be"),
    QCOW1("qcow", 0, "QFI\u00fb\0\0\0\1"),
    BOCHS("bochs", 0, "Bochs Virtual HD Image");

    private final String format;
    private final int at;
    private final String signature;

    Stranger(String format, int at, String signature) {
      this.format = format;
      this.at = at;
      this.signature = signature;
    }

    boolean marks(byte[] head) {
      return holds(head, at, signature);
    }
  }

  private Inspector() {}

  /**
   * Judges the image in a file.
   *
   * @param file the bytes of the image, opened as raw
   * @throws BlockFault when the file cannot be read; what is wrong inside it is a finding
   */
  public static Inspection inspect(BlockNode file) throws BlockFault {
    long length = file.length();
    byte[] head = head(file, length);
    if (holds(head, 0, "QFI\u00fb") && !Stranger.QCOW1.marks(head)) {
      return new Qcow2Inspector(file, length).run();
    }
    for (Stranger stranger : Stranger.values()) {
      if (stranger.marks(head)) {
        return new Inspection(
            stranger.format,
            length,
            OptionalLong.empty(),
            List.of(),
            List.of(
                Finding.refuse(
                    "magic", "format " + stranger.format + " is not one that can be judged here")));
      }
    }
    return new Inspection("raw", length, OptionalLong.of(length), List.of(), List.of());
  }

  private static byte[] head(BlockNode file, long length) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      long bytes = Math.min(HEAD_BYTES, length);
      MemorySegment head = arena.allocate(Math.max(1, bytes), 4096).asSlice(0, bytes);
      if (bytes > 0) {
        file.read(head, 0);
      }
      return head.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Whether the bytes at a place are those of a signature, a character each. */
  private static boolean holds(byte[] head, int at, String signature) {
    if (head.length < at + signature.length()) {
      return false;
    }
    for (int i = 0; i < signature.length(); i++) {
      if (Byte.toUnsignedInt(head[at + i]) != signature.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
