package hawser.fs.dispatch;

import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.RequestReader;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** What all queues of a device share: what INIT agreed to, and the calls that wait. */
final class Mount {
  final FileSystem files;
  private final ConcurrentMap<Long, Call> waiting = new ConcurrentHashMap<>();
  private volatile RequestReader reader = new RequestReader(0);
  private volatile boolean mounted;

  Mount(FileSystem files) {
    this.files = files;
  }

  RequestReader reader() {
    return reader;
  }

  boolean mounted() {
    return mounted;
  }

  FuseReply init(FuseRequest.Init init) {
    if (init.major() > FuseReply.Agreed.MAJOR) {
      // It learns our version, and asks again in that (linux/fuse.h, "Version negotiation").
      return new FuseReply.Agreed(FuseReply.Agreed.MINOR, 0, 0, 0, 0, 0, 0, 0);
    }
    FuseReply reply = files.init(init);
    if (reply instanceof FuseReply.Agreed agreed) {
      mountedWith(agreed.flags());
    }
    return reply;
  }

  /** A kernel is there that has agreed to these flags. */
  void mountedWith(long flags) {
    reader = new RequestReader(flags);
    mounted = true;
  }

  void destroy() {
    mounted = false;
    interruptAll();
    files.destroy();
  }

  void interruptAll() {
    waiting.values().forEach(Call::interrupt);
  }

  void waits(Call call) {
    waiting.put(call.header().unique(), call);
  }

  void ended(Call call) {
    waiting.remove(call.header().unique(), call);
  }

  /** Whether a call of that number waits; it ends soon then. */
  boolean interrupt(long unique) {
    Call call = waiting.get(unique);
    if (call == null) {
      return false;
    }
    call.interrupt();
    return true;
  }
}
