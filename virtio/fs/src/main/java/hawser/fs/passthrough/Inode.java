package hawser.fs.passthrough;

import hawser.fs.Name;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file that the guest knows. Where it lies is remembered by its directory and its name there; a
 * descriptor is opened when it is needed, and kept as long as there is room. Guarded by {@link
 * Inodes}, but for what is final.
 */
final class Inode {
  /** What the guest names it by. */
  final long nodeId;

  final FileId id;

  /** Its type, as in {@link hawser.sys.Statx#type}. */
  final int type;

  /** How often the guest has been told of it and has not yet forgotten it. */
  long lookups;

  /** How many inodes are remembered by it: it stays known as long as one is. */
  int below;

  /** Where it was seen last; null for the root. */
  @Nullable Inode directory;

  /** By which name it was seen there last. */
  @Nullable Name name;

  /** Leads to it, whatever it is called by now; null where handles are not used. */
  byte @Nullable [] handle;

  /** Stands for the file (O_PATH), while one is open. */
  @Nullable Descriptor descriptor;

  /** Its name is gone: a descriptor that is closed could not be opened again. */
  boolean nameless;

  /** The descriptor has been used since the last search for one to be closed. */
  boolean used;

  /** Where it stands among those with a descriptor. */
  int place;

  /** What the guest holds open of it. */
  List<OpenFile> files = NONE;

  /** The number that the guest's programs see. */
  long visibleInode;

  private static final List<OpenFile> NONE = List.of();

  Inode(long nodeId, FileId id, int type) {
    this.nodeId = nodeId;
    this.id = id;
    this.type = type;
    this.visibleInode = id.inode();
  }

  void add(OpenFile file) {
    if (files.isEmpty()) {
      files = new ArrayList<>(1);
    }
    files.add(file);
  }

  void remove(OpenFile file) {
    files.remove(file);
    if (files.isEmpty()) {
      files = NONE;
    }
  }
}
