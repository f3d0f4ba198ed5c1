package hawser.vhost.backend;

import hawser.base.ThreadEnd;
import hawser.sys.DescriptorStreams;
import hawser.vhost.message.StateDirection;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.Consumer;

/**
 * The device's internal state on its way through a pipe, while the connection goes on answering
 * (vhost-user, "Migrating back-end state").
 */
final class StateTransfer {
  private final Thread thread;
  private volatile boolean succeeded;

  /** Begins to save to or load from a descriptor, which is closed at the end. */
  StateTransfer(
      SavesState device, String name, StateDirection direction, int fd, Consumer<String> log) {
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name(name + "-state")
            .start(() -> transfer(device, direction, fd, log));
  }

  private void transfer(SavesState device, StateDirection direction, int fd, Consumer<String> log) {
    try {
      switch (direction) {
        case SAVE -> save(device, fd);
        case LOAD -> load(device, fd);
      }
      succeeded = true;
    } catch (IOException e) {
      log.accept("cannot %s the device's state: %s".formatted(direction, e.getMessage()));
    }
  }

  private static void save(SavesState device, int fd) throws IOException {
    try (OutputStream to = DescriptorStreams.writing(fd)) {
      device.save(to);
    }
  }

  private static void load(SavesState device, int fd) throws IOException {
    try (InputStream from = DescriptorStreams.reading(fd)) {
      device.load(from);
    }
  }

  /** Waits for the end; answers whether all went well. */
  boolean await() {
    ThreadEnd.await(thread);
    return succeeded;
  }
}
