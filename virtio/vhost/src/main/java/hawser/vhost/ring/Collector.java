package hawser.vhost.ring;

import hawser.base.PeerFault;
import hawser.vhost.memory.Iotlb;
import hawser.vhost.memory.MemoryTable;
import hawser.vhost.memory.Translator;
import hawser.vhost.message.IotlbEntry;
import java.util.function.BooleanSupplier;

/** Makes chains of descriptors, checking each before it is used. Belongs to the queue's thread. */
final class Collector {
  static final int NEXT = 1;
  static final int WRITE = 2;
  static final int INDIRECT = 4;

  private final int queue;
  private final Translator translator = new Translator();

  Collector(int queue) {
    this.queue = queue;
  }

  void use(MemoryTable memory) {
    translator.use(memory);
  }

  void use(Iotlb translations, BooleanSupplier stopWaiting) {
    translator.use(translations, stopWaiting);
  }

  PeerFault fault(int descriptor, String what) {
    return new PeerFault("queue %d, descriptor %d: %s".formatted(queue, descriptor, what));
  }

  /** Adds one descriptor's memory, in as many pieces as it has in this process. */
  void add(Chain chain, int descriptor, long address, long length, boolean writable) {
    if (length == 0) {
      throw fault(descriptor, "length is 0");
    }
    if (!writable && chain.hasWritable()) {
      throw fault(descriptor, "is to be read but comes after one to be written");
    }
    long at = address;
    long left = length;
    while (left > 0) {
      long here = translator.find(at, left, writable ? IotlbEntry.WRITE : IotlbEntry.READ);
      if (here == 0) {
        throw fault(
            descriptor, "%#x bytes at %#x lie outside guest memory".formatted(length, address));
      }
      if (chain.pieces() == Chain.PIECES_MAX) {
        throw fault(descriptor, "is one more than " + Chain.PIECES_MAX);
      }
      chain.add(translator.guest(), translator.host(), here, writable);
      at += here;
      left -= here;
    }
  }

  /** The host address of an entry of an indirect table. */
  long entry(int descriptor, long table, int index) {
    long address = table + (long) index * RingLayout.DESCRIPTOR_BYTES;
    if (translator.find(address, RingLayout.DESCRIPTOR_BYTES, IotlbEntry.READ)
        < RingLayout.DESCRIPTOR_BYTES) {
      throw fault(descriptor, "its table reaches outside guest memory at %#x".formatted(address));
    }
    return translator.host();
  }

  /** How many entries an indirect table has. */
  int entries(int descriptor, long bytes) {
    long entries = bytes / RingLayout.DESCRIPTOR_BYTES;
    if (bytes % RingLayout.DESCRIPTOR_BYTES != 0 || entries < 1 || entries > Chain.PIECES_MAX) {
      throw fault(
          descriptor,
          "its table has %d bytes, not 1 to %d times %d"
              .formatted(bytes, Chain.PIECES_MAX, RingLayout.DESCRIPTOR_BYTES));
    }
    return (int) entries;
  }
}
