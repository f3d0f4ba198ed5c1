package hawser.block.format.qcow2.layout;

import static hawser.base.Wire.BE16;
import static hawser.base.Wire.BE32;
import static hawser.base.Wire.BE64;
import static java.nio.charset.StandardCharsets.UTF_8;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The persistent bitmaps of an image ("Bitmap directory").
 *
 * @param bitmaps in the order of the directory; up to the first entry that could not be read
 * @param flaws what is wrong with it; the first is what QEMU reports
 */
public record BitmapDirectory(List<StoredBitmap> bitmaps, List<Flaw> flaws) {
  /** No bitmaps. */
  public static final BitmapDirectory EMPTY = new BitmapDirectory(List.of(), List.of());

  /** Copies the lists. */
  public BitmapDirectory {
    bitmaps = List.copyOf(bitmaps);
    flaws = List.copyOf(flaws);
  }

  /** Whether the image has bitmaps and its autoclear bit says that they may be trusted. */
  public static boolean trusted(Qcow2Header header) {
    return header.has(AutoclearFeature.BITMAPS)
        && header.extensions().last(HeaderExtension.Bitmaps.class).isPresent();
  }

  /**
   * Reads the directory that the bitmaps extension points to; empty when the image has none or its
   * autoclear bit says that it is not to be trusted.
   */
  public static BitmapDirectory read(BlockNode file, Qcow2Header header) throws BlockFault {
    var extension = header.extensions().last(HeaderExtension.Bitmaps.class);
    if (extension.isEmpty() || !header.has(AutoclearFeature.BITMAPS)) {
      return EMPTY;
    }
    var bitmaps = extension.get();
    if (bitmaps.directoryBytes() == 0) {
      return broken(List.of(), "Requested bitmap directory size is zero");
    }
    if (Long.compareUnsigned(bitmaps.directoryBytes(), Qcow2Limits.BITMAP_DIRECTORY_BYTES_MAX)
        > 0) {
      return broken(List.of(), "Requested bitmap directory size is too big");
    }
    if (!Ranges.contains(file.length(), bitmaps.directory().bytes(), bitmaps.directoryBytes())) {
      return broken(List.of(), "Failed to read bitmap directory: Input/output error");
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment directory = arena.allocate(bitmaps.directoryBytes(), 8);
      file.read(directory, bitmaps.directory().bytes());
      return entries(directory, bitmaps.count(), header);
    }
  }

  private static BitmapDirectory entries(
      MemorySegment directory, long expected, Qcow2Header header) {
    var found = new ArrayList<StoredBitmap>();
    long at = 0;
    while (at < directory.byteSize()) {
      if (directory.byteSize() - at < StoredBitmap.FIXED_BYTES) {
        return broken(found, "Broken bitmap directory");
      }
      if (found.size() >= expected) {
        return broken(found, "More bitmaps found than specified in header extension");
      }
      int nameBytes = Short.toUnsignedInt(directory.get(BE16, at + 18));
      long extraBytes = Integer.toUnsignedLong(directory.get(BE32, at + 20));
      long end = at + ((StoredBitmap.FIXED_BYTES + nameBytes + extraBytes + 7) & ~7L);
      if (end > directory.byteSize()) {
        return broken(found, "Broken bitmap directory");
      }
      if (extraBytes != 0) {
        return broken(found, "Bitmap extra data is not supported");
      }
      StoredBitmap bitmap = one(directory.asSlice(at, end - at), nameBytes, extraBytes);
      if (!bitmap.sound(header.geometry(), header.size())
          || nameBytes > Qcow2Limits.BITMAP_NAME_BYTES_MAX) {
        return broken(
            found, "Bitmap '%s' doesn't satisfy the constraints".formatted(bitmap.name()));
      }
      found.add(bitmap);
      at = end;
    }
    return found.size() == expected
        ? new BitmapDirectory(found, List.of())
        : broken(found, "Less bitmaps found than specified in header extension");
  }

  private static StoredBitmap one(MemorySegment entry, int nameBytes, long extraBytes) {
    long nameAt = StoredBitmap.FIXED_BYTES + extraBytes;
    return new StoredBitmap(
        new HostOffset(entry.get(BE64, 0)),
        Integer.toUnsignedLong(entry.get(BE32, 8)),
        entry.get(BE32, 12),
        Byte.toUnsignedInt(entry.get(ValueLayout.JAVA_BYTE, 16)),
        Byte.toUnsignedInt(entry.get(ValueLayout.JAVA_BYTE, 17)),
        HeaderExtensions.text(entry.asSlice(nameAt, nameBytes)),
        new KeptBytes(
            entry.asSlice(StoredBitmap.FIXED_BYTES, extraBytes).toArray(ValueLayout.JAVA_BYTE)));
  }

  /** A directory of these bitmaps, as it stands in the file. */
  public static byte[] bytes(List<StoredBitmap> bitmaps) {
    var out = new ByteArrayOutputStream();
    for (StoredBitmap bitmap : bitmaps) {
      byte[] name = bitmap.name().getBytes(UTF_8);
      out.writeBytes(
          ByteBuffer.allocate(StoredBitmap.FIXED_BYTES)
              .putLong(bitmap.table().bytes())
              .putInt((int) bitmap.tableEntries())
              .putInt(bitmap.flags())
              .put((byte) bitmap.type())
              .put((byte) bitmap.granularityBits())
              .putShort((short) name.length)
              .putInt(bitmap.extra().length())
              .array());
      out.writeBytes(bitmap.extra().toArray());
      out.writeBytes(name);
      out.writeBytes(new byte[-out.size() & 7]);
    }
    return out.toByteArray();
  }

  private static BitmapDirectory broken(List<StoredBitmap> found, String text) {
    return new BitmapDirectory(found, List.of(new Flaw(Flaw.Blocks.USE, Errno.EINVAL, text)));
  }
}
