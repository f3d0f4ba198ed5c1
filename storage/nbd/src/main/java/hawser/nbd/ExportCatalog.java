package hawser.nbd;

import java.util.List;
import java.util.Optional;

/** The exports that a handshake may name. */
public interface ExportCatalog {
  /** All that are to be listed. */
  List<ExportInfo> list();

  /** The one of that name, if there is one. */
  Optional<ExportInfo> find(String name);
}
