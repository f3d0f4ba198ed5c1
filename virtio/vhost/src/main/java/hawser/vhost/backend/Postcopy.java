package hawser.vhost.backend;

import hawser.base.PeerFault;
import hawser.base.ThreadEnd;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.PollSet;
import hawser.vhost.memory.GuestMemory;
import hawser.vhost.memory.MissingPages;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/**
 * A guest that runs here before its memory has come (vhost-user, "Postcopy migration"): announced,
 * listened for, ended. Belongs to the connection's thread.
 */
final class Postcopy implements AutoCloseable {
  private final GuestMemory memory;
  private final int socket;
  private @Nullable MissingPages missing;
  private @Nullable Watch watch;
  private boolean unconfirmed;

  /**
   * Looks after the front-end's end of the connection: when that is gone, nobody brings pages any
   * more, and the connection's thread may be among those who wait for one.
   */
  private static final class Watch implements AutoCloseable, Runnable {
    private static final int FRONT_END = 0;
    private static final int WAKE = 1;

    private final MissingPages missing;
    private final int wakeFd = VringDescriptors.newEvent();
    private final PollSet waiting = new PollSet(Arena.ofAuto(), 2);
    private final Thread thread;

    Watch(int socket, MissingPages missing) {
      this.missing = missing;
      waiting.setForEnd(FRONT_END, socket);
      waiting.set(WAKE, wakeFd);
      thread = Thread.ofPlatform().daemon().name("postcopy-watch").start(this);
    }

    @Override
    public void run() {
      waiting.await(-1);
      if (waiting.ready(FRONT_END)) {
        missing.giveUp();
      }
    }

    @Override
    public void close() {
      EventFd.signal(wakeFd);
      ThreadEnd.await(thread);
      FileCalls.close(wakeFd);
    }
  }

  /** None yet, on a connection whose descriptor stays open until this is closed. */
  Postcopy(GuestMemory memory, int socket) {
    this.memory = memory;
    this.socket = socket;
  }

  /** POSTCOPY_ADVISE; answers a userfaultfd for the front-end, the caller's to close. */
  int advise() {
    if (watch != null) {
      throw new PeerFault("POSTCOPY_ADVISE: postcopy is under way");
    }
    close();
    MissingPages pages = MissingPages.open();
    missing = pages;
    return pages.descriptor();
  }

  /** POSTCOPY_LISTEN: memory that is shared from now on may be missing. */
  void listen() {
    MissingPages pages = missing;
    if (pages == null || watch != null) {
      throw new PeerFault("POSTCOPY_LISTEN: no POSTCOPY_ADVISE has come before it");
    }
    if (memory.count() > 0) {
      // The front-end never learns where that lies, and could not tell what is missing in it.
      throw new PeerFault("POSTCOPY_LISTEN: memory is shared already");
    }
    memory.expect(pages);
    watch = new Watch(socket, pages);
  }

  /** Whether shared memory may be missing. */
  boolean listening() {
    return watch != null;
  }

  /** Memory was shared or taken back; the front-end must say that it serves what is there now. */
  void memoryChanged() {
    unconfirmed = listening();
  }

  /** Whether the front-end does not know yet where memory lies: no page may be waited for. */
  boolean unconfirmed() {
    return unconfirmed;
  }

  /** The front-end has said so. */
  void confirmed() {
    unconfirmed = false;
  }

  /** POSTCOPY_END: all memory is there, and whoever waits yet may go on. */
  void arrived() {
    if (missing == null) {
      throw new PeerFault("POSTCOPY_END: no POSTCOPY_ADVISE has come before it");
    }
    missing.arrived();
  }

  /** After {@link #arrived}, while no queue works: addresses are found without waiting again. */
  void end() {
    unconfirmed = false;
    memory.expect(null);
    close();
  }

  /** The connection ends: who waits for a page gets a fault. */
  void giveUp() {
    if (missing != null) {
      missing.giveUp();
    }
  }

  /** Gives everything back; nobody may wait for a page any more. */
  @Override
  public void close() {
    if (watch != null) {
      watch.close();
      watch = null;
    }
    if (missing != null) {
      missing.close();
      missing = null;
    }
  }
}
