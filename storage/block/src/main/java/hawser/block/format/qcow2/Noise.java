package hawser.block.format.qcow2;

import java.nio.ByteBuffer;

/**
 * Tells bytes that look random: encrypted, or compressed already. A guess from a sample, to be
 * confirmed by who acts on it, for repeats at a distance do not show.
 */
final class Noise {
  private static final int SAMPLES = 1024;
  private static final int VALUES = 256;

  /**
   * Random bytes have a chi-square of 255 give or take 23; anything that an entropy coder gains
   * more than a few percent from is far above this.
   */
  private static final double CHI_SQUARE_MAX = 400;

  private Noise() {}

  /** Whether the bytes that a sample of the buffer has are as even as chance makes them. */
  static boolean looksLike(ByteBuffer bytes) {
    int size = bytes.remaining();
    int samples = Math.min(SAMPLES, size);
    if (samples < VALUES) {
      return false;
    }
    int step = size / samples;
    int[] counts = new int[VALUES];
    for (int i = 0; i < samples; i++) {
      counts[bytes.get(i * step) & 0xff]++;
    }
    long squares = 0;
    for (int count : counts) {
      squares += (long) count * count;
    }
    return (double) squares * VALUES / samples - samples <= CHI_SQUARE_MAX;
  }
}
