package hawser.fs.xattr;

import hawser.fs.Name;

/**
 * What becomes of names of extended attributes that start in one way.
 *
 * @param type what becomes of them
 * @param ofGuest it holds for names that the guest gives
 * @param ofHost it holds for names that the host lists
 * @param key how a name of the guest's starts
 * @param prepend how a name of the host's starts, and what {@code PREFIX} puts in front
 */
record XattrRule(Type type, boolean ofGuest, boolean ofHost, Name key, Name prepend) {
  /** What becomes of a name. */
  enum Type {
    /** The host's name has something in front of the guest's. */
    PREFIX,
    /** It is the same on both sides. */
    OK,
    /** It is forbidden to the guest, and hidden from it. */
    BAD,
    /** The guest is told that nobody has such names, and they are hidden from it. */
    UNSUPPORTED
  }

  boolean matchesGuest(Name name) {
    return ofGuest && name.startsWith(key);
  }

  boolean matchesHost(Name name) {
    return ofHost && name.startsWith(prepend);
  }
}
