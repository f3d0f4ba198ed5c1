package hawser.block.format.qcow2.layout;

import hawser.base.Errno;
import java.util.ArrayList;
import java.util.List;

/** Judges a header: QEMU's tests at opening, in QEMU's order and words. */
final class HeaderFlaws {
  private final Qcow2Header header;
  private final List<Flaw> found = new ArrayList<>();

  private HeaderFlaws(Qcow2Header header) {
    this.header = header;
  }

  static List<Flaw> of(Qcow2Header header) {
    var judge = new HeaderFlaws(header);
    if (judge.identity()) {
      judge.features();
      judge.tables();
      judge.extensions();
      judge.names();
    }
    return List.copyOf(judge.found);
  }

  private void add(Errno errno, String text) {
    found.add(Flaw.opening(errno, text));
  }

  /** False when nothing else in the header can be understood. */
  private boolean identity() {
    if (header.magic() != Qcow2Header.MAGIC) {
      add(Errno.EINVAL, "Image is not in qcow2 format");
      return false;
    }
    if (header.version() < 2 || header.version() > 3) {
      add(Errno.EOPNOTSUPP, "Unsupported qcow2 version " + header.version());
      return false;
    }
    if (header.clusterBits() < Qcow2Limits.CLUSTER_BITS_MIN
        || header.clusterBits() > Qcow2Limits.CLUSTER_BITS_MAX) {
      add(Errno.EINVAL, "Unsupported cluster size: 2^" + header.clusterBits());
      return false;
    }
    if (header.headerLength() < Qcow2Header.V3_BYTES_MIN && header.version() >= 3) {
      add(Errno.EINVAL, "qcow2 header too short");
    }
    if (header.headerLength() > clusterBytes()) {
      add(Errno.EINVAL, "qcow2 header exceeds cluster size");
    }
    if (Long.compareUnsigned(header.backingOffset(), clusterBytes()) > 0) {
      add(Errno.EINVAL, "Invalid backing file offset");
    }
    return true;
  }

  private long clusterBytes() {
    return 1L << header.clusterBits();
  }

  private void features() {
    boolean flagged = header.has(IncompatibleFeature.COMPRESSION);
    if (header.compressionType() != Qcow2Header.DEFLATE
        && header.compressionType() != Qcow2Header.ZSTD) {
      add(
          Errno.EOPNOTSUPP,
          "qcow2: unknown compression type: "
              + Byte.toUnsignedInt((byte) header.compressionType()));
    } else if (header.compressionType() == Qcow2Header.DEFLATE && flagged) {
      add(Errno.EINVAL, "qcow2: Compression type incompatible feature bit must not be set");
    } else if (header.compressionType() != Qcow2Header.DEFLATE && !flagged) {
      add(Errno.EINVAL, "qcow2: Compression type incompatible feature bit must be set");
    }
    long unknown = header.incompatible() & ~IncompatibleFeature.all();
    if (unknown != 0) {
      add(Errno.EOPNOTSUPP, "Unsupported qcow2 feature(s): " + named(unknown));
    }
    if (header.has(IncompatibleFeature.CORRUPT)) {
      found.add(
          new Flaw(
              Flaw.Blocks.WRITING,
              Errno.EACCES,
              "qcow2: Image is corrupt; cannot be opened read/write"));
    }
    long subcluster = clusterBytes() / 32;
    if (header.has(IncompatibleFeature.EXTENDED_L2)
        && subcluster < Qcow2Limits.SUBCLUSTER_BYTES_MIN) {
      add(Errno.EINVAL, "Unsupported subcluster size: " + subcluster);
    }
    if (header.refcountOrder() > 6) {
      add(Errno.EINVAL, "Reference count entry width too large; may not exceed 64 bits");
    }
  }

  /** The names that the image's own table has for these bits; what it lacks in hexadecimal. */
  private String named(long bits) {
    var names = new ArrayList<String>();
    long left = bits;
    var table = header.extensions().last(HeaderExtension.FeatureNames.class);
    if (table.isPresent()) {
      for (var row : table.get().names()) {
        if (row.kind() == 0 && row.bit() < 64 && (left & (1L << row.bit())) != 0) {
          names.add(row.name());
          left &= ~(1L << row.bit());
        }
      }
    }
    if (left != 0) {
      names.add("Unknown incompatible feature: " + Long.toHexString(left));
    }
    return String.join(", ", names);
  }

  private void tables() {
    if (header.refcountTableClusters() == 0) {
      found.add(
          new Flaw(
              Flaw.Blocks.USE, Errno.EINVAL, "Image does not contain a reference count table"));
    }
    table(
        Flaw.Blocks.OPENING,
        "Reference count table",
        header.refcountTable(),
        header.refcountTableClusters(),
        clusterBytes(),
        Qcow2Limits.REFCOUNT_TABLE_BYTES_MAX);
    table(
        Flaw.Blocks.USE,
        "Snapshot table",
        header.snapshotTable(),
        header.snapshotCount(),
        Snapshot.FIXED_BYTES,
        (long) Snapshot.FIXED_BYTES * Qcow2Limits.SNAPSHOTS_MAX);
    table(
        Flaw.Blocks.OPENING,
        "Active L1 table",
        header.l1Table(),
        header.l1Entries(),
        8,
        Qcow2Limits.L1_BYTES_MAX);
    long l2Bits = header.clusterBits() - (header.has(IncompatibleFeature.EXTENDED_L2) ? 4 : 3);
    int shift = (int) (header.clusterBits() + l2Bits);
    long covered = 1L << shift;
    long needed = header.size() >>> shift;
    needed += (header.size() & (covered - 1)) != 0 ? 1 : 0;
    if (needed > Integer.MAX_VALUE) {
      add(Errno.EFBIG, "Image is too big");
    } else if (header.l1Entries() < needed) {
      add(Errno.EINVAL, "L1 table is too small");
    } else if (header.size() < 0) {
      add(Errno.EFBIG, "Image is too big");
    }
  }

  private void table(
      Flaw.Blocks blocks, String name, long offset, long entries, long entryBytes, long bytesMax) {
    if (entries > bytesMax / entryBytes) {
      found.add(new Flaw(blocks, Errno.EFBIG, name + " too large"));
    } else if (offset < 0
        || Long.MAX_VALUE - entries * entryBytes < offset
        || (offset & (clusterBytes() - 1)) != 0) {
      found.add(new Flaw(blocks, Errno.EINVAL, name + " offset invalid"));
    }
  }

  private void extensions() {
    if (header.extensions().cut()) {
      add(Errno.EINVAL, "Header extension too large");
    }
    for (HeaderExtension extension : header.extensions().list()) {
      // Not a switch over the types: making one at run time costs a short command 10 ms.
      if (extension instanceof HeaderExtension.BackingFormat(String format)) {
        backingFormat(format);
      } else if (extension instanceof HeaderExtension.Bitmaps bitmaps) {
        bitmaps(bitmaps);
      } else if (extension instanceof HeaderExtension.CryptoHeader crypto) {
        cryptoHeader(crypto);
      } else if (extension instanceof HeaderExtension.Unknown(int type, KeptBytes data)) {
        wrongLength(type, data.length());
      }
    }
  }

  private void backingFormat(String format) {
    if (format.length() >= Qcow2Limits.BACKING_FORMAT_BYTES_MAX) {
      add(
          Errno.EINVAL,
          "ERROR: ext_backing_format: len=%d too large (>=%d)"
              .formatted(format.length(), Qcow2Limits.BACKING_FORMAT_BYTES_MAX));
    }
  }

  private void wrongLength(int type, int length) {
    if (type == HeaderExtension.BITMAPS) {
      add(Errno.EINVAL, "bitmaps_ext: Invalid extension length");
    } else if (type == HeaderExtension.CRYPTO_HEADER) {
      add(Errno.EINVAL, "CRYPTO header extension size %d, but expected size 16".formatted(length));
    }
  }

  private void cryptoHeader(HeaderExtension.CryptoHeader crypto) {
    if (header.cryptMethod() != 2) {
      add(Errno.EINVAL, "CRYPTO header extension only expected with LUKS encryption method");
    } else if ((crypto.at().bytes() & (clusterBytes() - 1)) != 0) {
      add(
          Errno.EINVAL,
          "Encryption header offset '%s' is not a multiple of cluster size '%d'"
              .formatted(Long.toUnsignedString(crypto.at().bytes()), clusterBytes()));
    }
  }

  private void bitmaps(HeaderExtension.Bitmaps bitmaps) {
    if (!header.has(AutoclearFeature.BITMAPS)) {
      return;
    }
    if (bitmaps.reserved() != 0) {
      add(Errno.EINVAL, "bitmaps_ext: Reserved field is not zero");
    } else if (bitmaps.count() > Qcow2Limits.BITMAPS_MAX) {
      add(
          Errno.EINVAL,
          "bitmaps_ext: Image has %d bitmaps, exceeding the QEMU supported maximum of %d"
              .formatted(bitmaps.count(), Qcow2Limits.BITMAPS_MAX));
    } else if (bitmaps.count() == 0) {
      add(Errno.EINVAL, "found bitmaps extension with zero bitmaps");
    } else if ((bitmaps.directory().bytes() & (clusterBytes() - 1)) != 0) {
      add(Errno.EINVAL, "bitmaps_ext: invalid bitmap directory offset");
    } else if (Long.compareUnsigned(
            bitmaps.directoryBytes(), Qcow2Limits.BITMAP_DIRECTORY_BYTES_MAX)
        > 0) {
      add(
          Errno.EINVAL,
          "bitmaps_ext: bitmap directory size (%s) exceeds the maximum supported size (%d)"
              .formatted(
                  Long.toUnsignedString(bitmaps.directoryBytes()),
                  Qcow2Limits.BITMAP_DIRECTORY_BYTES_MAX));
    }
  }

  private void names() {
    if (!header.has(IncompatibleFeature.DATA_FILE) && header.has(AutoclearFeature.RAW_DATA_FILE)) {
      add(Errno.EINVAL, "data-file-raw requires a data file");
    }
    if (header.cryptMethod() > 2) {
      add(Errno.EINVAL, "Missing CRYPTO header for crypt method " + header.cryptMethod());
    }
    if (header.backingOffset() != 0
        && header.backingBytes()
            > Math.min(
                Qcow2Limits.BACKING_NAME_BYTES_MAX, clusterBytes() - header.backingOffset())) {
      add(Errno.EINVAL, "Backing file name too long");
    }
  }
}
