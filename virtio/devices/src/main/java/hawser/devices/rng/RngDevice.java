package hawser.devices.rng;

import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.backend.SavesState;
import hawser.vhost.ring.Chain;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;

/** The virtio entropy device: fills the guest's buffers with random bytes of the host's. */
public final class RngDevice implements Device, SavesState {
  /** Bytes of one answer at most; a driver that wants more asks again. */
  private static final int ANSWER_BYTES_MAX = 64 << 10;

  private final SecureRandom source = new SecureRandom();
  private final Allowance allowance;

  /** Gives out as much as the limit allows. */
  public RngDevice(RngLimit limit) {
    this.allowance = new Allowance(limit);
  }

  @Override
  public int virtioId() {
    return 4;
  }

  @Override
  public String name() {
    return "rng";
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queues() {
    return 1;
  }

  @Override
  public QueueHandler open(int queue) {
    return new Requests();
  }

  @Override
  public void close() {
    allowance.close();
  }

  @Override
  public void save(OutputStream to) throws IOException {
    allowance.save(to);
  }

  @Override
  public void load(InputStream from) throws IOException {
    allowance.load(from);
  }

  @Override
  public boolean sureToLoad() {
    return true;
  }

  /** The requests of the one queue: buffers to be filled. */
  private final class Requests implements QueueHandler {
    private final byte[] random = new byte[ANSWER_BYTES_MAX];

    @Override
    public void handle(Chain chain) {
      long most = Math.min(ANSWER_BYTES_MAX, allowance.left());
      int count = (int) Math.min(chain.writableBytes(), most);
      source.nextBytes(random);
      chain.write(0, MemorySegment.ofArray(random).asSlice(0, count));
      allowance.spend(count);
      chain.complete(count);
    }

    @Override
    public boolean wants() {
      return allowance.left() > 0;
    }

    @Override
    public int event() {
      return allowance.timer();
    }
  }
}
