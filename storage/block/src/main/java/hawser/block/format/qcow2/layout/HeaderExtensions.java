package hawser.block.format.qcow2.layout;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The header extensions of an image, in their order in the file.
 *
 * @param list those that were read
 * @param cut whether the list ran over its end, so that there may be more
 */
public record HeaderExtensions(List<HeaderExtension> list, boolean cut) {
  private static final int FEATURE_ROW_BYTES = 48;
  private static final int FEATURE_NAME_BYTES = 46;

  /** Copies the list. */
  public HeaderExtensions {
    list = List.copyOf(list);
  }

  /** Reads from {@code start} up to the end marker or {@code end}, both offsets in {@code in}. */
  public static HeaderExtensions read(MemorySegment in, long start, long end) {
    ByteBuffer numbers = in.asByteBuffer();
    var found = new ArrayList<HeaderExtension>();
    long at = start;
    while (at < end) {
      if (end - at < 8) {
        return new HeaderExtensions(found, true);
      }
      int type = numbers.getInt((int) at);
      long length = Integer.toUnsignedLong(numbers.getInt((int) at + 4));
      at += 8;
      if (length > end - at) {
        return new HeaderExtensions(found, true);
      }
      if (type == HeaderExtension.END) {
        return new HeaderExtensions(found, false);
      }
      found.add(one(type, in.asSlice(at, length)));
      at += (length + 7) & ~7L;
    }
    return new HeaderExtensions(found, false);
  }

  private static HeaderExtension one(int type, MemorySegment data) {
    boolean wrongLength =
        (type == HeaderExtension.BITMAPS && data.byteSize() != HeaderExtension.Bitmaps.BYTES)
            || (type == HeaderExtension.CRYPTO_HEADER
                && data.byteSize() != HeaderExtension.CryptoHeader.BYTES);
    if (wrongLength) {
      return new HeaderExtension.Unknown(type, new KeptBytes(data.toArray(ValueLayout.JAVA_BYTE)));
    }
    ByteBuffer numbers = data.asByteBuffer();
    return switch (type) {
      case HeaderExtension.BACKING_FORMAT -> new HeaderExtension.BackingFormat(text(data));
      case HeaderExtension.DATA_FILE -> new HeaderExtension.DataFile(text(data));
      case HeaderExtension.FEATURE_NAMES -> featureNames(data);
      case HeaderExtension.BITMAPS ->
          new HeaderExtension.Bitmaps(
              Integer.toUnsignedLong(numbers.getInt(0)),
              numbers.getInt(4),
              numbers.getLong(8),
              new HostOffset(numbers.getLong(16)));
      case HeaderExtension.CRYPTO_HEADER ->
          new HeaderExtension.CryptoHeader(new HostOffset(numbers.getLong(0)), numbers.getLong(8));
      default ->
          new HeaderExtension.Unknown(type, new KeptBytes(data.toArray(ValueLayout.JAVA_BYTE)));
    };
  }

  private static HeaderExtension.FeatureNames featureNames(MemorySegment data) {
    ByteBuffer numbers = data.asByteBuffer();
    var names = new ArrayList<HeaderExtension.FeatureName>();
    for (long at = 0; data.byteSize() - at >= FEATURE_ROW_BYTES; at += FEATURE_ROW_BYTES) {
      String name = text(data.asSlice(at + 2, FEATURE_NAME_BYTES));
      if (name.isEmpty()) {
        break;
      }
      names.add(
          new HeaderExtension.FeatureName(
              Byte.toUnsignedInt(numbers.get((int) at)),
              Byte.toUnsignedInt(numbers.get((int) at + 1)),
              name));
    }
    return new HeaderExtension.FeatureNames(names);
  }

  /** Text up to the first zero byte: what C would make of the same bytes. */
  static String text(MemorySegment data) {
    byte[] bytes = data.toArray(ValueLayout.JAVA_BYTE);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, UTF_8);
  }

  /** The last extension of that kind: QEMU reads on, and the later one counts. */
  public <T extends HeaderExtension> Optional<T> last(Class<T> kind) {
    for (HeaderExtension extension : list.reversed()) {
      if (kind.isInstance(extension)) {
        return Optional.of(kind.cast(extension));
      }
    }
    return Optional.empty();
  }

  /** The names QEMU 10 writes into every version 3 image whose clusters exceed 4 KiB. */
  static HeaderExtension.FeatureNames knownFeatureNames() {
    var names = new ArrayList<HeaderExtension.FeatureName>();
    for (IncompatibleFeature f : IncompatibleFeature.values()) {
      names.add(new HeaderExtension.FeatureName(0, f.bit(), f.words()));
    }
    for (CompatibleFeature f : CompatibleFeature.values()) {
      names.add(new HeaderExtension.FeatureName(1, f.bit(), f.words()));
    }
    for (AutoclearFeature f : AutoclearFeature.values()) {
      names.add(new HeaderExtension.FeatureName(2, f.bit(), f.words()));
    }
    return new HeaderExtension.FeatureNames(names);
  }

  /**
   * The bytes of all extensions in QEMU's order, with the end marker: backing format, data file,
   * crypto header, feature names, bitmaps, then the unknown ones.
   *
   * @param featureNames whether to write a table of the names known here; those read are never
   *     written back
   */
  byte[] toBytes(boolean featureNames) {
    var out = new ByteArrayOutputStream();
    last(HeaderExtension.BackingFormat.class).ifPresent(one -> append(out, one));
    last(HeaderExtension.DataFile.class).ifPresent(one -> append(out, one));
    last(HeaderExtension.CryptoHeader.class).ifPresent(one -> append(out, one));
    if (featureNames) {
      append(out, knownFeatureNames());
    }
    last(HeaderExtension.Bitmaps.class).ifPresent(one -> append(out, one));
    for (HeaderExtension extension : list) {
      if (extension instanceof HeaderExtension.Unknown) {
        append(out, extension);
      }
    }
    out.writeBytes(new byte[8]);
    return out.toByteArray();
  }

  private static void append(ByteArrayOutputStream out, HeaderExtension extension) {
    switch (extension) {
      case HeaderExtension.BackingFormat(String format) ->
          append(out, HeaderExtension.BACKING_FORMAT, format.getBytes(UTF_8));
      case HeaderExtension.DataFile(String name) ->
          append(out, HeaderExtension.DATA_FILE, name.getBytes(UTF_8));
      case HeaderExtension.CryptoHeader(HostOffset at, long bytes) ->
          append(
              out,
              HeaderExtension.CRYPTO_HEADER,
              ByteBuffer.allocate(16).putLong(at.bytes()).putLong(bytes).array());
      case HeaderExtension.FeatureNames(var names) ->
          append(out, HeaderExtension.FEATURE_NAMES, rows(names));
      case HeaderExtension.Bitmaps(long count, int reserved, long bytes, HostOffset at) ->
          append(
              out,
              HeaderExtension.BITMAPS,
              ByteBuffer.allocate(24)
                  .putInt((int) count)
                  .putInt(reserved)
                  .putLong(bytes)
                  .putLong(at.bytes())
                  .array());
      case HeaderExtension.Unknown(int type, KeptBytes data) -> append(out, type, data.toArray());
    }
  }

  private static byte[] rows(List<HeaderExtension.FeatureName> names) {
    var rows = ByteBuffer.allocate(names.size() * FEATURE_ROW_BYTES);
    for (int i = 0; i < names.size(); i++) {
      var name = names.get(i);
      rows.position(i * FEATURE_ROW_BYTES);
      rows.put((byte) name.kind()).put((byte) name.bit()).put(name.name().getBytes(UTF_8));
    }
    return rows.array();
  }

  private static void append(ByteArrayOutputStream out, int type, byte[] data) {
    out.writeBytes(ByteBuffer.allocate(8).putInt(type).putInt(data.length).array());
    out.writeBytes(data);
    out.writeBytes(new byte[-data.length & 7]);
  }
}
