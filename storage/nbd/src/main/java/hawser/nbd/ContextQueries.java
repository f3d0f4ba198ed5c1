package hawser.nbd;

import java.util.ArrayList;
import java.util.List;

/** Which metadata contexts a client's queries mean (proto.md, "Metadata querying"). */
final class ContextQueries {
  private static final String BASE = "base:";
  private static final String QEMU = "qemu:";

  private ContextQueries() {}

  /**
   * The contexts that any query names, each once, in the order of {@code all}. When listing, no
   * query at all means all of them, and a namespace alone means everything in it; when choosing,
   * only full names count.
   */
  static List<MetaContext> match(List<MetaContext> all, List<String> queries, boolean listing) {
    if (listing && queries.isEmpty()) {
      return all;
    }
    var matched = new ArrayList<MetaContext>();
    for (MetaContext context : all) {
      boolean named = false;
      for (String query : queries) {
        named |= query.equals(context.name()) || (listing && wildcard(query, context.name()));
      }
      if (named && matched.size() < NbdLimits.CONTEXTS_MAX) {
        matched.add(context);
      }
    }
    return List.copyOf(matched);
  }

  private static boolean wildcard(String query, String name) {
    return switch (query) {
      case BASE, QEMU, MetaContext.QEMU_DIRTY_BITMAP -> name.startsWith(query);
      default -> false;
    };
  }
}
