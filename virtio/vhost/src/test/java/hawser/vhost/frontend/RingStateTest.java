package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.sys.EventFd;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Everything that starts, stops, enables and disables vrings, in any order, against a model of it
 * (vhost-user, "Ring states").
 */
class RingStateTest {
  private static final int SEEDS = 40;
  private static final int MOVES = 60;
  private static final int RING_SIZE = 32;
  private static final int QUESTIONS_AFTER_THE_END = 200;
  private static final long RAM = 1 << 18;

  private enum Move {
    FEATURES,
    FEATURES_WITHOUT_ENABLE,
    CONFIGURE,
    KICK,
    KICK_WITHOUT_DESCRIPTOR,
    CALL,
    CALL_WITHOUT_DESCRIPTOR,
    ENABLE,
    DISABLE,
    STOP,
    STOP_UNDER_LOAD,
    NONSENSE,
    RESET,
    STATUS_ZERO,
    STATUS
  }

  @ParameterizedTest
  @ValueSource(
      longs = {DriverPlan.SPLIT, DriverPlan.PACKED, DriverPlan.SPLIT & ~VirtioFeature.EVENT_IDX})
  void vringsServeWhenTheModelDoes(long features) throws Exception {
    try (var device = new LateEcho();
        var served = new Served(device)) {
      for (int seed = 0; seed < SEEDS; seed++) {
        try (GuestRam ram = GuestRam.of(RAM);
            FrontEnd frontEnd = served.frontEnd();
            var one = new ModelledVring(0, ram, RING_SIZE, features);
            var two = new ModelledVring(1, ram, RING_SIZE, features)) {
          live(frontEnd, ram, features, List.of(one, two), new Random(seed));
        } catch (AssertionError | PeerFault e) {
          throw new AssertionError("seed " + seed, e);
        }
      }
    }
  }

  private static void live(
      FrontEnd frontEnd, GuestRam ram, long features, List<ModelledVring> vrings, Random dice)
      throws InterruptedException {
    frontEnd.setProtocolFeatures(
        ProtocolFeature.maskOf(
            ProtocolFeature.MQ,
            ProtocolFeature.REPLY_ACK,
            ProtocolFeature.RESET_DEVICE,
            ProtocolFeature.STATUS));
    frontEnd.setFeatures(features | VirtioFeature.PROTOCOL_FEATURES);
    frontEnd.setMemTable(List.of(ram.region(0)), ram.descriptor(0));
    for (int i = 0; i < MOVES; i++) {
      Move move = Move.values()[dice.nextInt(Move.values().length)];
      ModelledVring vring = vrings.get(dice.nextInt(vrings.size()));

      move(move, frontEnd, features, vrings, vring, dice);
      vrings.forEach(ModelledVring::ask);
    }
    suspend(frontEnd, ram, vrings);
  }

  private static void move(
      Move move,
      FrontEnd frontEnd,
      long features,
      List<ModelledVring> vrings,
      ModelledVring vring,
      Random dice) {
    switch (move) {
      case FEATURES -> frontEnd.setFeatures(features | VirtioFeature.PROTOCOL_FEATURES);
      case FEATURES_WITHOUT_ENABLE -> {
        frontEnd.setFeatures(features);
        vrings.forEach(each -> each.enabled = true);
      }
      case CONFIGURE -> vring.configure(frontEnd, dice.nextBoolean());
      case KICK -> kick(frontEnd, vring, vring.queue.kickDescriptor());
      case KICK_WITHOUT_DESCRIPTOR -> kick(frontEnd, vring, Descriptors.NONE);
      case CALL -> call(frontEnd, vring, vring.queue.callDescriptor());
      case CALL_WITHOUT_DESCRIPTOR -> call(frontEnd, vring, Descriptors.NONE);
      case ENABLE -> enable(frontEnd, vring, true);
      case DISABLE -> enable(frontEnd, vring, false);
      case STOP -> vring.stop(frontEnd);
      case STOP_UNDER_LOAD -> {
        vring.request(dice.nextInt(RING_SIZE));
        vring.stop(frontEnd);
      }
      case NONSENSE ->
          assertThatThrownBy(() -> frontEnd.setVringNum(vring.index(), 0))
              .isInstanceOf(PeerFault.class);
      case RESET -> {
        frontEnd.resetDevice();
        vrings.forEach(ModelledVring::reset);
      }
      case STATUS_ZERO -> {
        frontEnd.setStatus(0);
        vrings.forEach(ModelledVring::reset);
      }
      case STATUS -> frontEnd.setStatus(VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER);
    }
  }

  private static void kick(FrontEnd frontEnd, ModelledVring vring, int descriptor) {
    frontEnd.setVringKick(vring.index(), descriptor);
    vring.started = true;
  }

  private static void call(FrontEnd frontEnd, ModelledVring vring, int descriptor) {
    frontEnd.setVringCall(vring.index(), descriptor);
    vring.called = descriptor != Descriptors.NONE;
  }

  private static void enable(FrontEnd frontEnd, ModelledVring vring, boolean enabled) {
    frontEnd.setVringEnable(vring.index(), enabled);
    vring.enabled = enabled;
  }

  /** After the last vring's stop nothing writes to guest memory or calls, whoever kicks. */
  private static void suspend(FrontEnd frontEnd, GuestRam ram, List<ModelledVring> vrings)
      throws InterruptedException {
    vrings.forEach(vring -> vring.request(RING_SIZE));
    var over = new AtomicBoolean();
    Thread kicking =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!over.get()) {
                    vrings.forEach(vring -> EventFd.signal(vring.queue.kickDescriptor()));
                  }
                });
    try {
      vrings.forEach(vring -> frontEnd.getVringBase(vring.index()));
      GuestRam.Snapshot before = ram.snapshot();
      vrings.forEach(vring -> EventFd.drain(vring.queue.callDescriptor()));
      for (int i = 0; i < QUESTIONS_AFTER_THE_END; i++) {
        assertThat(frontEnd.getFeatures()).isNotZero();
      }
      assertThat(ram.changedSince(before).isEmpty()).isTrue();
      for (ModelledVring vring : vrings) {
        assertThat(EventFd.drain(vring.queue.callDescriptor())).as("no call came").isNegative();
      }
    } finally {
      over.set(true);
      kicking.join();
    }
  }
}
