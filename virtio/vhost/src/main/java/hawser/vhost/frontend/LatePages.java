package hawser.vhost.frontend;

import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.base.Ranges;
import hawser.base.ThreadEnd;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.PollSet;
import hawser.sys.Result;
import hawser.sys.UserFault;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.MemoryRegion;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The front-end's part of postcopy (vhost-user, "Postcopy migration"): on a thread of its own it
 * hears which pages the back-end waits for, and has them brought.
 */
public final class LatePages implements AutoCloseable {
  private static final int FAULTS = 0;
  private static final int WAKE = 1;

  private final int faults;
  private final Source source;
  private final List<MemoryRegion> there = new CopyOnWriteArrayList<>();
  private final PollSet waiting = new PollSet(Arena.ofAuto(), 2);
  private final int wakeFd;
  private final Thread thread;
  private volatile @Nullable PeerFault fault;

  /** Where pages come from. */
  @FunctionalInterface
  public interface Source {
    /**
     * Returns when the page of {@link GuestRam#PAGE_BYTES} at a guest address is in the guest's
     * memory, which it may be already.
     */
    void bring(long guestAddress);
  }

  private LatePages(int faults, Source source) {
    this.faults = faults;
    this.source = source;
    long fd = EventFd.create();
    if (Result.failed(fd)) {
      throw new AssertionError("eventfd: " + Result.errno(fd).text());
    }
    wakeFd = (int) fd;
    waiting.set(FAULTS, faults);
    waiting.set(WAKE, wakeFd);
    thread = Thread.ofPlatform().daemon().name("late-pages").unstarted(this::serve);
  }

  /** Serves the faults of a back-end's userfaultfd, which it takes over. */
  public static LatePages of(int userFault, Source source) {
    long result = FileCalls.setNonblocking(userFault);
    if (Result.failed(result)) {
      FileCalls.close(userFault);
      throw new PeerFault("POSTCOPY_ADVISE: userfaultfd: " + Result.errno(result).text());
    }
    var pages = new LatePages(userFault, source);
    pages.thread.start();
    return pages;
  }

  /** Shares memory, slot by slot or by one table, and serves its faults. */
  void share(FrontEnd frontEnd, boolean slots, List<MemoryRegion> regions, int[] descriptors) {
    if (slots) {
      for (int i = 0; i < regions.size(); i++) {
        there.add(frontEnd.addMissingMemReg(regions.get(i), descriptors[i]));
      }
    } else {
      there.addAll(frontEnd.setMissingMemTable(regions, descriptors));
    }
    frontEnd.memoryServed(slots ? FrontEndCode.ADD_MEM_REG : FrontEndCode.SET_MEM_TABLE);
  }

  private void serve() {
    try {
      while (true) {
        waiting.await(-1);
        if (waiting.ready(WAKE)) {
          return;
        }
        serveNext();
      }
    } catch (PeerFault e) {
      fault = e;
    }
  }

  private void serveNext() {
    long address = UserFault.next(faults);
    if (Result.failed(address)) {
      // A thread that was woken meanwhile waits no more.
      if (Result.errno(address) != Errno.EAGAIN) {
        throw new PeerFault("userfaultfd: " + Result.errno(address).text());
      }
      return;
    }
    long page = Ranges.alignDown(address, GuestRam.PAGE_BYTES);
    MemoryRegion region = region(page);
    if (region == null) {
      letGo(page);
    } else {
      source.bring(region.guestAddress() + (page - region.userAddress()));
      UserFault.wake(faults, page, GuestRam.PAGE_BYTES);
    }
  }

  private @Nullable MemoryRegion region(long address) {
    for (MemoryRegion region : there) {
      long at = address - region.userAddress();
      if (at >= 0 && at < region.size()) {
        return region;
      }
    }
    return null;
  }

  /** Nobody knows what should be there; but whoever waits for it would wait for ever. */
  private void letGo(long page) {
    fault = new PeerFault("the back-end waits for %#x, which it has not told of".formatted(page));
    UserFault.unregister(faults, page, GuestRam.PAGE_BYTES);
  }

  /** What the back-end did wrong, or null. */
  public @Nullable PeerFault fault() {
    return fault;
  }

  /** Serves no faults any more; a page that is being brought is waited for. */
  @Override
  public void close() {
    EventFd.signal(wakeFd);
    ThreadEnd.await(thread);
    FileCalls.close(wakeFd);
    FileCalls.close(faults);
  }
}
