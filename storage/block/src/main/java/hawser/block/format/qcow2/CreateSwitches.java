package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.CreateOption;
import hawser.block.CreateOption.Kind;
import hawser.block.CreateOptions;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.util.List;

/** The options of {@code -o} for a new qcow2 image, in QEMU's order and words. */
final class CreateSwitches {
  static final List<CreateOption> TABLE =
      List.of(
          CreateOption.of(
              "encryption",
              Kind.SWITCH,
              "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)"),
          CreateOption.of(
              "encrypt.format", Kind.TEXT, "Encrypt the image, format choices: 'aes', 'luks'"),
          CreateOption.of(
              "encrypt.key-secret",
              Kind.TEXT,
              "ID of secret providing qcow AES key or LUKS passphrase"),
          CreateOption.of("encrypt.cipher-alg", Kind.TEXT, "Name of encryption cipher algorithm"),
          CreateOption.of("encrypt.cipher-mode", Kind.TEXT, "Name of encryption cipher mode"),
          CreateOption.of("encrypt.ivgen-alg", Kind.TEXT, "Name of IV generator algorithm"),
          CreateOption.of(
              "encrypt.ivgen-hash-alg", Kind.TEXT, "Name of IV generator hash algorithm"),
          CreateOption.of("encrypt.hash-alg", Kind.TEXT, "Name of encryption hash algorithm"),
          CreateOption.of(
              "encrypt.iter-time", Kind.NUMBER, "Time to spend in PBKDF in milliseconds"),
          new CreateOption("cluster_size", Kind.SIZE, "65536", "qcow2 cluster size"),
          new CreateOption("extended_l2", Kind.SWITCH, "off", "Extended L2 tables"),
          CreateOption.of(
              "preallocation",
              Kind.TEXT,
              "Preallocation mode (allowed values: off, metadata, falloc, full)"),
          new CreateOption(
              "compression_type",
              Kind.TEXT,
              "zlib",
              "Compression method used for image cluster compression"),
          CreateOption.size(),
          CreateOption.of("compat", Kind.TEXT, "Compatibility level (v2 [0.10] or v3 [1.1])"),
          CreateOption.of("backing_file", Kind.TEXT, "File name of a base image"),
          CreateOption.of("backing_fmt", Kind.TEXT, "Image format of the base image"),
          CreateOption.of("data_file", Kind.TEXT, "File name of an external data file"),
          CreateOption.of(
              "data_file_raw",
              Kind.SWITCH,
              "The external data file must stay valid as a raw image"),
          new CreateOption("lazy_refcounts", Kind.SWITCH, "off", "Postpone refcount updates"),
          new CreateOption(
              "refcount_bits", Kind.NUMBER, "16", "Width of a reference count entry in bits"));

  private CreateSwitches() {}

  /** The options as a record; their combination is not checked yet. */
  static Qcow2Options read(CreateOptions given) throws BlockFault {
    if (given.truth("encryption") || given.has("encrypt.format")) {
      throw new BlockFault(Errno.EOPNOTSUPP, "encrypted qcow2 images are not supported");
    }
    return new Qcow2Options(
        given.size("size").orElse(0),
        version(given.text("compat").orElse("1.1")),
        given.size("cluster_size").orElse(Qcow2Options.CLUSTER_BYTES),
        given.number("refcount_bits").orElse(16),
        given.truth("lazy_refcounts"),
        given.truth("extended_l2"),
        compression(given.text("compression_type").orElse("zlib")),
        given.preallocation(),
        given.text("backing_file").filter(name -> !name.isEmpty()).orElse(null),
        given.text("backing_fmt").orElse(null),
        given.text("data_file").orElse(null),
        given.truth("data_file_raw"));
  }

  private static int version(String compat) throws BlockFault {
    return switch (compat) {
      case "0.10", "v2" -> 2;
      case "1.1", "v3" -> 3;
      default ->
          throw new BlockFault(
              Errno.EINVAL, "Parameter 'version' does not accept value '" + compat + "'");
    };
  }

  private static int compression(String name) throws BlockFault {
    return switch (name) {
      case "zlib" -> Qcow2Header.DEFLATE;
      case "zstd" -> Qcow2Header.ZSTD;
      default ->
          throw new BlockFault(
              Errno.EINVAL, "Parameter 'compression-type' does not accept value '" + name + "'");
    };
  }
}
