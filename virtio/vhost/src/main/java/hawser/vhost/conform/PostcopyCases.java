package hawser.vhost.conform;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.UserFault;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.message.ProtocolFeature;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A guest that goes on before its memory has come. Only reads. */
final class PostcopyCases {
  private static final int BYTES = 64 << 10;

  /** For any device: no memory is shared. */
  static final Case ANNOUNCED =
      new Case(
          "postcopy announced",
          "POSTCOPY_ADVISE is answered by a userfaultfd, POSTCOPY_LISTEN and _END by 0 (PAGEFAULT)",
          PostcopyCases::announced);

  static final List<Case> ALL =
      List.of(
          ANNOUNCED,
          new Case(
              "postcopy by table",
              "SET_MEM_TABLE is answered by addresses, and what is missing there is waited for",
              subject -> served(subject, false)),
          new Case(
              "postcopy by slots",
              "ADD_MEM_REG is answered by its address, and what is missing there is waited for",
              subject -> served(subject, true)));

  private PostcopyCases() {}

  private static Verdict announced(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.PAGEFAULT)) {
      return new Verdict.NotOffered("PAGEFAULT");
    }
    try (FrontEnd frontEnd = subject.connect()) {
      long _ = frontEnd.getFeatures();
      frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & DriverPlan.PROTOCOL_ALL);
      frontEnd.setOwner();
      int fd = frontEnd.postcopyAdvise();
      long first;
      try {
        first = FileCalls.setNonblocking(fd);
        first = Result.failed(first) ? first : UserFault.next(fd);
      } finally {
        FileCalls.close(fd);
      }
      if (!Result.failed(first) || Result.errno(first) != Errno.EAGAIN) {
        return new Verdict.Fail("the descriptor is no userfaultfd without faults");
      }
      frontEnd.postcopyListen();
      long end = frontEnd.postcopyEnd();
      return Verdict.of(end == 0, "POSTCOPY_END: the answer is " + end);
    }
  }

  private static Verdict served(Subject subject, boolean slots) throws BlockFault {
    if (!subject.offers(ProtocolFeature.PAGEFAULT)) {
      return new Verdict.NotOffered("PAGEFAULT");
    }
    long bySlots = ProtocolFeature.CONFIGURE_MEM_SLOTS.mask;
    if (slots && !subject.offers(ProtocolFeature.CONFIGURE_MEM_SLOTS)) {
      return new Verdict.NotOffered("CONFIGURE_MEM_SLOTS");
    }
    byte[] expected = AddressCases.read(subject, RingCases.PLAN);
    DriverPlan plan = RingCases.PLAN.withProtocol(DriverPlan.PROTOCOL_ALL & ~(slots ? 0 : bySlots));
    var brought = new AtomicInteger();
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.agree(ram, plan)) {
      driver.beginPostcopy(
          page -> {
            // Nothing was ever there: whoever looks first makes it be there.
            byte _ = ram.at(page, GuestRam.PAGE_BYTES).get(JAVA_BYTE, 0);
            brought.incrementAndGet();
          });
      driver.resume();
      BlkDriver disk = BlkDriver.of(driver, 0, BYTES);
      byte[] missing = disk.read(0, BYTES);
      driver.endPostcopy();
      int pages = brought.get();
      byte[] present = disk.read(0, BYTES);
      if (!Arrays.equals(missing, expected) || !Arrays.equals(present, expected)) {
        return new Verdict.Fail("a read gave other bytes");
      }
      return pages > 0
          ? new Verdict.Pass(pages + " pages brought")
          : new Verdict.Fail("nobody waited for what was missing");
    }
  }
}
