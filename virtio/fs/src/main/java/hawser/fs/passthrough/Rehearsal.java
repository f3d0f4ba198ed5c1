package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.fs.Name;
import hawser.fs.dispatch.FsDevice;
import hawser.fs.fuse.Opcode;
import hawser.fs.state.Identity;
import hawser.fs.state.Location;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.sys.Statx;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.BackEndServer;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.StateTransfer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A guest that was made up arrives through a connection of its own, asks something, and leaves, so
 * that all code on the way is loaded and compiled before a real guest waits for it: in a new
 * process its pause would be three times as long. Only the shared folder itself is looked at.
 */
public final class Rehearsal {
  private static final int FOLDERS = 5;
  private static final int FILES_IN_FOLDER = 1000;
  private static final int ROUNDS = 2;
  private static final long RAM_BYTES = 4 << 20;
  private static final int QUEUES = 2;
  private static final int RING_SIZE = 16;
  private static final int REQUEST_BYTES = 56;
  private static final int REPLY_BYTES = 120;

  private Rehearsal() {}

  /** Rehearses with a share of its own; takes about half a processor's second. */
  public static void run(Path folder, ShareOptions options) throws BlockFault, IOException {
    byte[] state = state();
    for (int i = 0; i < ROUNDS; i++) {
      try (PassThrough share = PassThrough.ofNobody(folder, options);
          var device = new FsDevice(share, "", QUEUES - 1, _ -> {});
          GuestRam ram = GuestRam.of(RAM_BYTES)) {
        arriveAndLeave(device, ram, state);
      }
    }
    // What is left of it would be collected while the guest waits: for 100,000 files, 100 ms.
    System.gc();
  }

  private static void arriveAndLeave(FsDevice device, GuestRam ram, byte[] state)
      throws BlockFault {
    int[] pair = new int[2];
    Result.orFault(SocketCalls.socketPair(pair), "socketpair");
    DriverPlan plan = DriverPlan.of(DriverPlan.SPLIT).withQueues(QUEUES, RING_SIZE, 0);
    var frontEnd = new FrontEnd(pair[1], FrontEnd.PATIENCE);
    try (BackEndServer _ =
            BackEndServer.serve(device, BackEndOptions.loggingTo(_ -> {}), pair[0], () -> {});
        Driver guest = Driver.agree(frontEnd, ram, plan)) {
      StateTransfer.load(guest.frontEnd(), state);
      guest.resume();
      getattr(guest.queue(1), ram);
      guest.startLog();
      guest.stop();
      byte[] _ = StateTransfer.save(guest.frontEnd());
    }
  }

  /** Asks for the attributes of the shared folder, as a guest's first request may. */
  private static void getattr(DriverQueue queue, GuestRam ram) {
    long request = ram.allocate(REQUEST_BYTES, Long.BYTES);
    MemorySegment header = ram.at(request, REQUEST_BYTES);
    header.set(ValueLayout.JAVA_INT, 0, REQUEST_BYTES);
    header.set(ValueLayout.JAVA_INT, 4, Opcode.GETATTR.number);
    header.set(ValueLayout.JAVA_LONG, 8, 1);
    header.set(ValueLayout.JAVA_LONG, 16, Inodes.ROOT_ID);
    queue.begin();
    queue.readable(request, REQUEST_BYTES);
    queue.writable(ram.allocate(REPLY_BYTES, Long.BYTES), REPLY_BYTES);
    queue.add();
    queue.submit();
    if (!queue.await((int) FrontEnd.PATIENCE.toMillis())) {
      throw new PeerFault("nobody answers");
    }
    queue.take();
  }

  private static byte[] state() throws IOException {
    var state = new ByteArrayOutputStream();
    StateSink sink = StateForms.HAWSER.writing(state);
    sink.settings(new SavedSettings(true, 0, Inodes.ROOT_ID, 0));
    long node = Inodes.ROOT_ID;
    sink.inode(inode(node, Statx.DIRECTORY, new Location.Root()));
    for (int i = 0; i < FOLDERS; i++) {
      long directory = ++node;
      var at = new Location.Named(Inodes.ROOT_ID, Name.of("folder-" + i));
      sink.inode(inode(directory, Statx.DIRECTORY, at));
      for (int j = 0; j < FILES_IN_FOLDER; j++) {
        Name name = Name.of("file-" + j);
        sink.inode(inode(++node, Statx.REGULAR, new Location.Named(directory, name)));
      }
    }
    sink.end();
    return state.toByteArray();
  }

  private static SavedInode inode(long node, int type, Location location) {
    // Of the same file system as the root, whichever that is, so that nobody looks where it is.
    var identity = new Identity(1, 1, node == Inodes.ROOT_ID ? 0 : node, node, 0);
    return new SavedInode(node, 1, type, identity, node, false, Name.of(""), location);
  }
}
