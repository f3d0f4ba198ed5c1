package hawser.block.inspect;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** The formats that are told apart by content: where their magic is, and what it is. */
enum KnownFormat {
  QCOW2("qcow2", 0, "QFI\u00fb"),
  QED("qed", 0, "QED\0"),
  VMDK("vmdk", 0, "KDMV"),
  VMDK_ESX("vmdk", 0, "COWD"),
  VMDK_TEXT("vmdk", 0, "# Disk DescriptorFile"),
  VDI("vdi", 64, "\u007f\u0010\u00da\u00be"),
  VHDX("vhdx", 0, "vhdxfile"),
  VPC("vpc", 0, "conectix"),
  PARALLELS("parallels", 0, "WithoutFreeSpace"),
  PARALLELS_EXTENDED("parallels", 0, "WithouFreSpacExt"),
  LUKS("luks", 0, "LUKS\u00ba\u00be"),
  ISO("iso", 0x8001, "CD001"),
  DMG("dmg", -512, "koly"),
  VPC_FIXED("vpc", -512, "conectix");

  private static final long VERSION_AT = 4;

  private final String format;
  private final long at;
  private final String magic;

  KnownFormat(String format, long at, String magic) {
    this.format = format;
    this.at = at;
    this.magic = magic;
  }

  /** QEMU's name of the format in a file; {@code raw} when none of the magics is there. */
  static String of(BlockNode file) throws BlockFault {
    for (KnownFormat known : values()) {
      if (known.isIn(file)) {
        return known == QCOW2 && firstVersion(file) ? "qcow" : known.format;
      }
    }
    return "raw";
  }

  private boolean isIn(BlockNode file) throws BlockFault {
    long start = at < 0 ? file.length() + at : at;
    return holds(file, start, magic.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static boolean firstVersion(BlockNode file) throws BlockFault {
    return holds(file, VERSION_AT, new byte[] {0, 0, 0, 1});
  }

  private static boolean holds(BlockNode file, long start, byte[] expected) throws BlockFault {
    if (start < 0 || start > file.length() - expected.length) {
      return false;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(expected.length);
      file.read(found, start);
      return found.mismatch(MemorySegment.ofArray(expected)) < 0;
    }
  }
}
