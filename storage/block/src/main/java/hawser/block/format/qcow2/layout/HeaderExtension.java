package hawser.block.format.qcow2.layout;

import java.util.List;

/** One header extension ("Header extensions"). */
public sealed interface HeaderExtension {
  /** The type that ends the list. */
  int END = 0;

  /** Type of {@link BackingFormat}. */
  int BACKING_FORMAT = 0xe2792aca;

  /** Type of {@link FeatureNames}. */
  int FEATURE_NAMES = 0x6803f857;

  /** Type of {@link Bitmaps}. */
  int BITMAPS = 0x23852875;

  /** Type of {@link CryptoHeader}. */
  int CRYPTO_HEADER = 0x0537be77;

  /** Type of {@link DataFile}. */
  int DATA_FILE = 0x44415441;

  /** The format of the backing file, as QEMU names formats. */
  record BackingFormat(String format) implements HeaderExtension {}

  /** Names for feature bits, so that an old reader can say what it lacks. */
  record FeatureNames(List<FeatureName> names) implements HeaderExtension {
    /** Copies the list. */
    public FeatureNames {
      names = List.copyOf(names);
    }
  }

  /**
   * One row of the feature name table.
   *
   * @param kind 0 incompatible, 1 compatible, 2 autoclear
   * @param bit the bit's number in its field
   * @param name for people, at most 46 bytes
   */
  record FeatureName(int kind, int bit, String name) {}

  /**
   * Where the bitmap directory is.
   *
   * @param count bitmaps, unsigned 32 bits
   * @param reserved must be 0
   * @param directoryBytes size of the directory
   * @param directory where it starts
   */
  record Bitmaps(long count, int reserved, long directoryBytes, HostOffset directory)
      implements HeaderExtension {
    /** Bytes of the extension's data. */
    public static final int BYTES = 24;
  }

  /** Where the LUKS header is, and how long. */
  record CryptoHeader(HostOffset at, long bytes) implements HeaderExtension {
    /** Bytes of the extension's data. */
    public static final int BYTES = 16;
  }

  /** The name of the external data file. */
  record DataFile(String name) implements HeaderExtension {}

  /**
   * An extension that this implementation does not know, or a known one whose length is wrong. It
   * is written back as it was.
   */
  record Unknown(int type, KeptBytes data) implements HeaderExtension {}
}
