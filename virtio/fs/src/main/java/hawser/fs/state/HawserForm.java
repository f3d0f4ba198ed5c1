package hawser.fs.state;

/**
 * Hawser's form of a state. All numbers are little endian.
 *
 * <pre>
 * "HWST"  u16 version  u16 0  u16 length, the writer's name and version in UTF-8
 * sections, each: u16 type  u16 flags (1: required)  u32 length  payload  u32 CRC-32C of all of it
 * the last one, END: the SHA-256 of every byte before it
 * </pre>
 *
 * <p>A type may come any number of times, so that no section is ever longer than {@link
 * #SECTION_BYTES_MAX}. Who does not know a type skips it, unless it is required.
 */
final class HawserForm {
  static final byte[] MAGIC = {'H', 'W', 'S', 'T'};
  static final int VERSION = 1;
  static final int REQUIRED = 1;
  static final int SECTION_HEADER_BYTES = 8;
  static final int CRC_BYTES = 4;
  static final int DIGEST_BYTES = 32;

  /** Bytes of a section's payload at most. */
  static final int SECTION_BYTES_MAX = 1 << 20;

  /** Bytes of the writer's name at most. */
  static final int WRITER_BYTES_MAX = 255;

  /** When a section that holds many items is ended. */
  static final int SECTION_BYTES_USUAL = 64 << 10;

  private HawserForm() {}
}
