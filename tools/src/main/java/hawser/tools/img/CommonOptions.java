package hawser.tools.img;

import hawser.tools.Option;

/** The options that several commands share, each written down once. */
final class CommonOptions {
  static final Option HELP = Option.flag('h', "help", "print this help and exit");
  static final Option QUIET = Option.flag('q', "quiet", "print nothing but errors");
  static final Option PROGRESS = Option.flag('p', "progress", "show how far it is");
  static final Option FORMAT =
      Option.value('f', "format", "FMT", "the image's format; without it, it is probed");
  static final Option IMAGE_OPTS =
      Option.flag("image-opts", "image names are option lists: driver=qcow2,file.filename=x");
  static final Option OUTPUT = Option.value("output", "human|json", "for people or for programs");
  static final Option FORCE_SHARE =
      Option.flag('U', "force-share", "open even while another program writes the image");
  static final Option OBJECT =
      Option.value("object", "OBJDEF", "a secret or TLS credentials, as QEMU writes them");

  private CommonOptions() {}
}
