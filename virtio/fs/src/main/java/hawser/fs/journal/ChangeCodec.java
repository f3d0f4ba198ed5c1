package hawser.fs.journal;

import hawser.base.PeerFault;
import hawser.fs.Name;
import hawser.fs.journal.Change.*;
import hawser.fs.state.Identity;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedSettings;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;

/**
 * Changes as bytes: a byte for the kind, then its components in their order, in the order of bytes
 * of the buffer; names after their lengths. Read by the same version only, on the same machine.
 */
final class ChangeCodec {
  private static final byte SETTLED = 1;
  private static final byte KNOWN = 2;
  private static final byte FOUND = 3;
  private static final byte FORGOTTEN = 4;
  private static final byte MOVED = 5;
  private static final byte UNNAMED = 6;
  private static final byte KEPT = 7;
  private static final byte OPENED = 8;
  private static final byte CLOSED = 9;
  private static final byte LOCKING = 10;
  private static final byte LOCKED_RANGE = 11;
  private static final byte LOCKED_WHOLE = 12;
  private static final byte UNLOCKED = 13;
  private static final byte UNLOCKED_WHOLE = 14;
  private static final byte RELEASED = 15;
  private static final byte BEGUN = 16;
  private static final byte APPENDING = 17;
  private static final byte UNDONE = 18;
  private static final byte CLEARED = 19;
  private static final byte PAST = 20;
  private static final byte HANDLED = 21;

  private final ByteBuffer bytes;

  /** Over a buffer that has room for what is written, or in it what is to be read. */
  ChangeCodec(ByteBuffer bytes) {
    this.bytes = bytes;
  }

  void write(Change change) {
    switch (change) {
      case Settled(SavedSettings s) -> {
        kind(SETTLED).flag(s.mounted()).numbers(s.agreed(), s.nextNode(), s.nextHandle());
      }
      case Known k -> {
        kind(KNOWN).numbers(k.nodeId(), k.lookups(), k.directory(), k.visibleInode());
        identity(k.identity()).type(k.type()).flag(k.nameless()).flag(k.known()).name(k.name());
      }
      case Found f -> {
        kind(FOUND).numbers(f.unique(), f.nodeId(), f.directory());
        identity(f.identity()).type(f.type()).flag(f.nameless()).name(f.name());
      }
      case Forgotten f -> kind(FORGOTTEN).numbers(f.unique(), f.nodeId(), f.lookups());
      case Moved m -> kind(MOVED).numbers(m.nodeId(), m.directory()).name(m.name());
      case Unnamed(long nodeId) -> kind(UNNAMED).numbers(nodeId);
      case Handled(long nodeId, Name handle) -> kind(HANDLED).numbers(nodeId).name(handle);
      case Kept(long nodeId, long key) -> kind(KEPT).numbers(nodeId, key);
      case Opened o ->
          kind(OPENED).numbers(o.unique(), o.handle(), o.nodeId(), o.key()).type(o.flags());
      case Closed c -> kind(CLOSED).numbers(c.unique(), c.handle());
      case Locking l -> kind(LOCKING).numbers(l.nodeId(), l.owner(), l.key());
      case Locked(SavedLock.Range r) ->
          kind(LOCKED_RANGE).numbers(r.nodeId(), r.owner(), r.start(), r.end()).flag(r.exclusive());
      case Locked(SavedLock.Whole w) -> kind(LOCKED_WHOLE).numbers(w.handle()).flag(w.exclusive());
      case Unlocked u -> kind(UNLOCKED).numbers(u.nodeId(), u.owner(), u.start(), u.end());
      case UnlockedWhole(long handle) -> kind(UNLOCKED_WHOLE).numbers(handle);
      case Released r -> kind(RELEASED).numbers(r.nodeId(), r.owner());
      case Begun b -> kind(BEGUN).numbers(b.unique()).identity(b.first()).identity(b.second());
      case Appending a -> kind(APPENDING).numbers(a.unique(), a.size());
      case Undone(long unique) -> kind(UNDONE).numbers(unique);
      case Cleared() -> kind(CLEARED);
      case Past(Change before) -> kind(PAST).write(before);
    }
  }

  private ChangeCodec kind(byte kind) {
    bytes.put(kind);
    return this;
  }

  private ChangeCodec numbers(long... numbers) {
    for (long number : numbers) {
      bytes.putLong(number);
    }
    return this;
  }

  private ChangeCodec type(int type) {
    bytes.putInt(type);
    return this;
  }

  private ChangeCodec flag(boolean flag) {
    bytes.put((byte) (flag ? 1 : 0));
    return this;
  }

  private ChangeCodec identity(Identity id) {
    numbers(id.device(), id.mount(), id.inode(), id.birthSeconds());
    return type(id.birthNanos());
  }

  private void name(Name name) {
    bytes.putInt(name.length()).put(name.bytes());
  }

  Change read() {
    try {
      return next();
    } catch (BufferUnderflowException e) {
      throw new PeerFault("journal: a change is cut short", e);
    }
  }

  private Change next() {
    byte kind = bytes.get();
    return switch (kind) {
      case SETTLED -> {
        boolean mounted = flag();
        yield new Settled(new SavedSettings(mounted, number(), number(), number()));
      }
      case KNOWN -> {
        long nodeId = number();
        long lookups = number();
        long directory = number();
        long visible = number();
        Identity identity = identity();
        int type = bytes.getInt();
        boolean nameless = flag();
        boolean known = flag();
        yield new Known(
            nodeId, identity, type, lookups, directory, name(), nameless, visible, known);
      }
      case FOUND -> {
        long unique = number();
        long nodeId = number();
        long directory = number();
        Identity identity = identity();
        int type = bytes.getInt();
        boolean nameless = flag();
        yield new Found(unique, nodeId, identity, type, directory, name(), nameless);
      }
      case FORGOTTEN -> new Forgotten(number(), number(), number());
      case MOVED -> new Moved(number(), number(), name());
      case UNNAMED -> new Unnamed(number());
      case HANDLED -> new Handled(number(), name());
      case KEPT -> new Kept(number(), number());
      case OPENED -> {
        long unique = number();
        long handle = number();
        long nodeId = number();
        long key = number();
        yield new Opened(unique, handle, nodeId, bytes.getInt(), key);
      }
      case CLOSED -> new Closed(number(), number());
      case LOCKING -> new Locking(number(), number(), number());
      case LOCKED_RANGE -> {
        long nodeId = number();
        long owner = number();
        long start = number();
        long end = number();
        yield new Locked(new SavedLock.Range(nodeId, owner, flag(), start, end));
      }
      case LOCKED_WHOLE -> new Locked(new SavedLock.Whole(number(), flag()));
      case UNLOCKED -> new Unlocked(number(), number(), number(), number());
      case UNLOCKED_WHOLE -> new UnlockedWhole(number());
      case RELEASED -> new Released(number(), number());
      case BEGUN -> new Begun(number(), identity(), identity());
      case APPENDING -> new Appending(number(), number());
      case UNDONE -> new Undone(number());
      case CLEARED -> new Cleared();
      case PAST -> new Past(next());
      default -> throw new PeerFault("journal: a change of kind %d".formatted(kind));
    };
  }

  private long number() {
    return bytes.getLong();
  }

  private boolean flag() {
    return bytes.get() != 0;
  }

  private Identity identity() {
    return new Identity(number(), number(), number(), number(), bytes.getInt());
  }

  private Name name() {
    int length = bytes.getInt();
    if (length < 0 || length > Name.PATH_BYTES_MAX) {
      throw new PeerFault(
          "journal: a name of %d bytes, at most %d".formatted(length, Name.PATH_BYTES_MAX));
    }
    byte[] name = new byte[length];
    bytes.get(name);
    return new Name(name);
  }
}
