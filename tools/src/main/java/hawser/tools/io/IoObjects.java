package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.throttle.ThrottleGroup;
import hawser.block.throttle.ThrottleGroups;
import hawser.nbd.client.NbdDriver;
import hawser.nbd.tls.TlsObjects;
import hawser.tools.Terminal;

/**
 * The objects that a command line defines: TLS credentials, throttle groups, and secrets, which are
 * accepted because no disk here is encrypted. Opens disks that name them.
 */
final class IoObjects {
  private static final String THROTTLE_GROUP = "throttle-group,";
  private static final String SECRET = "secret,";

  private final TlsObjects credentials = new TlsObjects();
  private final ThrottleGroups groups = new ThrottleGroups();

  /** Adds {@code type,id=ID,key=value...}; ends the program when it makes no sense. */
  void add(String definition) {
    try {
      if (credentials.add(definition) || definition.startsWith(SECRET)) {
        return;
      }
      if (!definition.startsWith(THROTTLE_GROUP)) {
        String type = definition.split(",", 2)[0];
        throw new UsageFault("Parameter 'qom-type' does not accept value '" + type + "'");
      }
      addGroup(Options.parse(definition.substring(THROTTLE_GROUP.length())));
    } catch (BlockFault e) {
      throw new UsageFault(e.getMessage());
    }
  }

  private void addGroup(Options options) throws BlockFault {
    String id = options.needed("id");
    ThrottleGroup group =
        options.has("limits")
            ? ThrottleGroup.take(options.child("limits").orElseGet(Options::new), "")
            : ThrottleGroup.take(options, "x-");
    if (!groups.add(id, group)) {
      throw new UsageFault(
          "attempt to add duplicate property '" + id + "' to object (type 'container')");
    }
  }

  /** An opener that knows the objects; warnings go to the error stream. */
  Opener opener(Terminal io) {
    return new Opener(OpenPolicy.ANYTHING, new NbdDriver(credentials))
        .warning(io::error)
        .throttling(groups);
  }

  /** Opens what is asked for. */
  BlockNode open(OpenRequest request, Terminal io) throws BlockFault {
    return request.open(opener(io));
  }
}
