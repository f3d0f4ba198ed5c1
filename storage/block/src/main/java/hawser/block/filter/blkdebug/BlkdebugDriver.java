package hawser.block.filter.blkdebug;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.ImageName;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.Permissions;
import hawser.block.filter.AlignedNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Opens {@code blkdebug}, also by names of the form {@code blkdebug:CONFIG:IMAGE}. */
public final class BlkdebugDriver implements Driver {
  private static final String PREFIX = "blkdebug:";

  /** The options that decide how requests fare, and so belong into a {@code json:} name. */
  private static final Set<String> TELLING =
      Set.of(
          "config",
          "inject-error",
          "set-state",
          "align",
          "max-transfer",
          "opt-write-zero",
          "max-write-zero",
          "opt-discard",
          "max-discard");

  @Override
  public String name() {
    return "blkdebug";
  }

  @Override
  public Set<String> protocols() {
    return Set.of("blkdebug");
  }

  @Override
  public Options fromName(String name) throws BlockFault {
    if (!name.startsWith(PREFIX)) {
      return new Options().put("x-image", Json.of(name));
    }
    String rest = name.substring(PREFIX.length());
    int colon = rest.indexOf(':');
    if (colon < 0) {
      throw new BlockFault(Errno.EINVAL, "blkdebug requires both config file and image path");
    }
    var options = new Options();
    if (colon > 0) {
      options.put("config", Json.of(rest.substring(0, colon)));
    }
    return options.put("x-image", Json.of(rest.substring(colon + 1)));
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    Map<String, Json> telling = new LinkedHashMap<>();
    options.tree().members().forEach((key, value) -> keep(telling, key, value));
    Optional<String> config = options.text("config");
    var rules = new Rules(RuleReader.read(config, options));
    var extra =
        new Permissions(
            permissions(options, "take-child-perms"),
            Permissions.ALL & ~permissions(options, "unshare-child-perms"));
    var used = mode.permissions();
    var below =
        mode.withPermissions(
            new Permissions(used.used() | extra.used(), used.shared() & extra.shared()));
    Optional<String> plain = options.text("x-image");
    if (plain.isPresent()) {
      Options image = options.child("image").orElseGet(Options::new);
      opener.place(image, plain.get(), false);
      options.put("image", image.tree());
    }
    BlockNode image = opener.child(options, "image", below);
    try {
      RequestSizes sizes = RequestSizes.take(options, image.limits().alignment());
      String name = name(config, telling, image);
      BlockNode node = new BlkdebugNode(image, name, rules, sizes.align(), extra);
      node.event(BlkdebugEvent.NONE);
      node = sizes.any() ? new CutNode(node, sizes) : node;
      return sizes.align() > 1 ? new AlignedNode(node) : node;
    } catch (BlockFault e) {
      image.close();
      throw e;
    }
  }

  private static void keep(Map<String, Json> telling, String key, Json value) {
    if (TELLING.contains(key)) {
      telling.put(key, value);
    }
  }

  private static String name(Optional<String> config, Map<String, Json> telling, BlockNode image) {
    boolean plain = telling.isEmpty() || telling.keySet().equals(Set.of("config"));
    return plain && !ImageName.isJson(image.name())
        ? PREFIX + config.orElse("") + ":" + image.name()
        : ImageName.json("blkdebug", telling, "image", image);
  }

  private static int permissions(Options options, String key) throws BlockFault {
    int mask = 0;
    Optional<Json> list = options.any(key);
    Iterable<Json> names =
        switch (list.orElse(null)) {
          case Json.Arr(var items) -> items;
          case Json.Obj(var members) -> members.values();
          case null, default -> Set.of();
        };
    for (Json name : names) {
      int before = mask;
      for (int bit = 1; bit <= Permissions.RESIZE; bit <<= 1) {
        boolean same =
            name instanceof Json.Str(String text)
                && Permissions.names(bit).replace(' ', '-').equals(text);
        mask |= same ? bit : 0;
      }
      if (mask == before) {
        throw new BlockFault(Errno.EINVAL, "Invalid parameter '" + key + "'");
      }
    }
    return mask;
  }
}
