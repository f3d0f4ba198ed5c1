package hawser.block.format.qcow2.layout;

import java.util.Arrays;

/** Bytes of an image whose meaning is not known here and which are kept as they are. Immutable. */
public final class KeptBytes {
  /** None. */
  public static final KeptBytes NONE = new KeptBytes(new byte[0]);

  private final byte[] bytes;

  /** Copies the bytes. */
  public KeptBytes(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  /** How many. */
  public int length() {
    return bytes.length;
  }

  /** A copy. */
  public byte[] toArray() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KeptBytes kept && Arrays.equals(bytes, kept.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}
