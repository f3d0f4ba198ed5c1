package hawser.vhost.frontend;

import hawser.base.PeerFault;
import hawser.base.ThreadEnd;
import hawser.sys.FileCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.BackEndCode;
import hawser.vhost.message.BackEndCodec;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.Header;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The socket on which the back-end asks and a thread of the front-end answers. */
final class BackEndChannel implements AutoCloseable {
  private final VhostSocket socket;
  private final BackEndListener listener;
  private final Thread thread;
  private volatile @Nullable PeerFault fault;

  BackEndChannel(int fd, BackEndListener listener) {
    this.socket = new VhostSocket(fd);
    this.listener = listener;
    this.thread = Thread.ofPlatform().daemon().name("vhost-user-requests").start(this::serve);
  }

  /** What ended the channel, if it was not its peer's wish. */
  @Nullable PeerFault fault() {
    return fault;
  }

  private void serve() {
    try {
      Received request = socket.receive();
      while (request != null) {
        try (Received open = request) {
          serve(open);
        }
        request = socket.receive();
      }
    } catch (PeerFault broken) {
      fault = broken;
    } finally {
      // Whatever ended it, a back-end that waits for an answer gets to know.
      socket.shutdown();
    }
  }

  private void serve(Received request) {
    Header header = request.header();
    BackEndCode code = BackEndCode.of(header.request());
    if (code == null) {
      answer(header, BackEndListener.Answer.REFUSED);
      return;
    }
    code.check(header.size(), request.descriptors().count());
    var message = BackEndCodec.read(code, request.payload());
    answer(header, Objects.requireNonNull(listener.answer(message, request.descriptors())));
  }

  private void answer(Header header, BackEndListener.Answer answer) {
    int[] descriptors =
        answer.descriptor() == Descriptors.NONE ? new int[0] : new int[] {answer.descriptor()};
    try {
      if (header.needsReply()) {
        socket.send(
            header.request(), Header.REPLY, VhostSocket.number(answer.value()), descriptors);
      }
    } finally {
      for (int descriptor : descriptors) {
        FileCalls.close(descriptor);
      }
    }
  }

  @Override
  public void close() {
    socket.shutdown();
    ThreadEnd.await(thread);
    socket.close();
  }
}
