package hawser.tools.io;

import hawser.base.json.Json;
import hawser.block.OpenMode;
import hawser.block.OpenMode.Cache;
import hawser.block.Options;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The options that the program and its {@code open} command share. */
final class OpenFlags {
  private boolean snapshot;
  private boolean copyOnRead;
  private boolean readOnly;
  private boolean forceShare;
  private boolean unmap = true;

  /** Unless told otherwise, each write is durable when qemu-io reports it. */
  private boolean writethrough = true;

  private Cache cache = Cache.WRITEBACK;

  /** Takes one option by its letter; answers with the complaint, if there is one. */
  @Nullable String take(String key, String value) {
    switch (key) {
      case "s" -> snapshot = true;
      case "C" -> copyOnRead = true;
      case "r" -> readOnly = true;
      case "U" -> forceShare = true;
      case "k" -> {}
      case "n" -> {
        cache = Cache.NONE;
        writethrough = false;
      }
      case "t" -> {
        Optional<Cache> named = Cache.named(value);
        if (named.isEmpty()) {
          return "Invalid cache option: " + value;
        }
        writethrough = named.get().writethrough();
        cache = withoutWritethrough(named.get());
      }
      case "d" -> {
        switch (value) {
          case "on", "unmap" -> unmap = true;
          case "off", "ignore" -> unmap = false;
          default -> {
            return "Invalid discard option: " + value;
          }
        }
      }
      case "i" -> {
        if (!value.equals("threads") && !value.equals("native") && !value.equals("io_uring")) {
          return "Invalid aio option: " + value;
        }
      }
      default -> throw new AssertionError("option " + key);
    }
    return null;
  }

  /** Durable writes are asked for one by one, so that a reopening can change its mind. */
  static Cache withoutWritethrough(Cache cache) {
    return switch (cache) {
      case WRITETHROUGH -> Cache.WRITEBACK;
      case DIRECTSYNC -> Cache.NONE;
      case WRITEBACK, NONE, UNSAFE, DIRECT_UNSAFE -> cache;
    };
  }

  /** What these options and a name ask for. */
  OpenRequest request(@Nullable String name, Json.Obj options) {
    OpenMode mode =
        (readOnly ? OpenMode.READ : OpenMode.WRITE)
            .withCache(cache)
            .withUnmap(unmap)
            .withForceShare(forceShare);
    return new OpenRequest(name, options, mode, snapshot, copyOnRead, writethrough);
  }

  /** An option list; a first part without a key is the file's. */
  static Json.Obj parsed(String list) {
    int end = list.indexOf(',');
    String first = end < 0 ? list : list.substring(0, end);
    boolean bare = !first.isEmpty() && first.indexOf('=') < 0;
    return Options.parse(bare ? "file=" + list : list).tree();
  }
}
