package hawser.fs.passthrough;

/** Device numbers in the 32 bits that FUSE and mknod(2) have for them (new_encode_dev). */
final class Device {
  private Device() {}

  static int pack(int major, int minor) {
    return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
  }
}
