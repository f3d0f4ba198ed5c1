package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.Wire;
import hawser.block.BlockNode;
import hawser.nbd.Command;
import hawser.nbd.Handshake;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdError;
import hawser.nbd.NbdLimits;
import hawser.nbd.ReplyHeader;
import hawser.nbd.ReplyStyle;
import hawser.nbd.RequestRules;
import hawser.nbd.RequestRules.Verdict;
import hawser.nbd.transport.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The transmission phase of one connection. One thread receives as many requests as the socket
 * holds, serves at once those that need no waiting, gathers their replies and sends them together
 * when no request is left; it hands the others to workers, whose replies leave as they finish.
 */
final class Transmission implements AutoCloseable {
  /**
   * Bytes received, and bytes of replies gathered, at a time: 64 requests of 4 KiB, or one of 256.
   */
  private static final int BATCH_BYTES = 272 << 10;

  /** Longer reads and writes go to workers, so that the client's next bytes are taken meanwhile. */
  private static final int SERVED_NOW_MAX = 256 << 10;

  /** Payloads for workers that are worth copying, for requests come in batches with them. */
  private static final int BUFFERED_PAYLOAD_MAX = 64 << 10;

  private final Transport transport;
  private final Export export;
  private final Handshake.Ready agreed;
  private final ReplyStyle style;
  private final ReadAnswer readAnswer;
  private final RequestRules rules;
  private final NodeCalls calls;
  private final BlockNode node;
  private final boolean servesNow;
  private final Workers workers;
  private final BufferPool pool;
  private final BufferPool.Share share = new BufferPool.Share();
  private final Slots slots;
  private final ReplySender sender;
  private final Piecewise piecewise;
  private final @Nullable DirectQueue direct;
  private final Arena arena = Arena.ofShared();
  private final Slices in;
  private final Slices out;
  private final int headerBytes;

  /** Longer payloads are not waited for here but received straight into memory of their own. */
  private final int awaitedMax;

  private int start;
  private int end;
  private int gathered;
  private volatile boolean stopping;
  private volatile @Nullable PeerFault fault;

  Transmission(Transport transport, Export export, Handshake.Ready agreed, ServerResources shared) {
    this.transport = transport;
    this.export = export;
    this.agreed = agreed;
    this.style = agreed.style();
    this.readAnswer = new ReadAnswer(style);
    this.node = export.node();
    this.calls = new NodeCalls(node);
    this.servesNow = node.limits().memoryAlignment() <= 64;
    this.rules =
        new RequestRules(
            style,
            agreed.export().readOnly(),
            agreed.export().size(),
            agreed.export().sizes().minimum(),
            !agreed.contexts().isEmpty());
    this.workers = shared.workers();
    this.pool = shared.buffers();
    this.slots = new Slots(shared.inFlightMax());
    this.sender = new ReplySender(transport, shared.inFlightMax());
    this.direct = DirectQueue.open(transport, node, sender, workers, shared.inFlightMax());
    this.in = new Slices(arena.allocate(BATCH_BYTES, 4096));
    this.out = new Slices(arena.allocate(BATCH_BYTES, 4096));
    this.piecewise = new Piecewise(out.whole(), calls, style, sender);
    this.headerBytes = style.requestBytes();
    this.awaitedMax = servesNow ? SERVED_NOW_MAX : BUFFERED_PAYLOAD_MAX;
  }

  Export export() {
    return export;
  }

  ReadAnswer readAnswer() {
    return readAnswer;
  }

  ReplyStyle style() {
    return style;
  }

  NodeCalls calls() {
    return calls;
  }

  Slots slots() {
    return slots;
  }

  ReplySender sender() {
    return sender;
  }

  /** Serves until the client goes; returns when no worker is left in its requests. */
  void run() {
    try {
      boolean more = true;
      while (more) {
        more = serveBuffered() && receive();
      }
      flushGathered();
    } finally {
      finishRequests();
    }
    PeerFault broken = fault;
    if (broken != null) {
      throw broken;
    }
  }

  private void finishRequests() {
    try {
      if (direct != null) {
        direct.close();
      }
    } finally {
      slots.awaitIdle();
    }
  }

  /** From now on requests are refused with ESHUTDOWN; those under way are finished. */
  void stop() {
    stopping = true;
  }

  /** A worker could not send its reply: the connection is over. */
  void broken(PeerFault e) {
    fault = e;
    transport.shutdown();
  }

  /** Gives a request's memory back. */
  void give(Buffer buffer) {
    pool.give(share, buffer);
  }

  /** Memory for a reply of unusual size, for workers; null where there is none. */
  @Nullable Buffer takeNow(int bytes) {
    return pool.takeNow(share, bytes);
  }

  /** How much is read at a time to fill caches. */
  static int cacheBytes(long length) {
    return (int) Math.min(length, Piecewise.PIECE_BYTES);
  }

  /** Memory for a request; null where it has to be served in pieces. Nothing is gathered then. */
  private @Nullable Buffer take(int bytes) {
    flushGathered();
    // Whoever waits for memory must not sit on finished requests that hold some.
    while (direct != null && direct.count() > 0 && pool.lacks(bytes)) {
      direct.finishSome();
    }
    return pool.take(share, bytes);
  }

  /** Serves every complete request that was received; false when the client said goodbye. */
  private boolean serveBuffered() {
    while (end - start >= headerBytes) {
      MemorySegment head = in.whole();
      int magic = head.get(Wire.BE32, start);
      if (magic != style.requestMagic()) {
        throw new PeerFault(
            "request magic is %#x, expected %#x".formatted(magic, style.requestMagic()));
      }
      int flags = Short.toUnsignedInt(head.get(Wire.BE16, start + 4));
      Command command = Command.of(Short.toUnsignedInt(head.get(Wire.BE16, start + 6)));
      long cookie = head.get(Wire.BE64, start + 8);
      long offset = head.get(Wire.BE64, start + 16);
      long length =
          style == ReplyStyle.EXTENDED
              ? head.get(Wire.BE64, start + 24)
              : Integer.toUnsignedLong(head.get(Wire.BE32, start + 24));
      if (command == Command.DISC) {
        return false;
      }
      long payload = rules.payload(command, flags, length);
      if (payload < 0 || payload > NbdLimits.PAYLOAD_BYTES_MAX) {
        throw new PeerFault(
            "payload of %s bytes, at most %d are taken"
                .formatted(Long.toUnsignedString(payload), NbdLimits.PAYLOAD_BYTES_MAX));
      }
      if (payload <= awaitedMax && end - start < headerBytes + payload) {
        return true;
      }
      start += headerBytes;
      if (payload == 0) {
        request(command, flags, cookie, offset, length);
      } else {
        requestWithPayload(command, flags, cookie, offset, (int) payload);
      }
    }
    return true;
  }

  /** Gets more bytes; false at the end of the stream. */
  private boolean receive() {
    flushGathered();
    if (start == end) {
      start = 0;
      end = 0;
    } else if (end - start <= BUFFERED_PAYLOAD_MAX
        || start + headerBytes + awaitedMax > BATCH_BYTES) {
      MemorySegment.copy(in.whole(), start, in.whole(), 0, end - start);
      end -= start;
      start = 0;
    }
    MemorySegment room = in.at(end, BATCH_BYTES - end);
    long count = direct == null ? transport.receive(room) : direct.receive(room);
    end += (int) count;
    if (count == 0 && end > 0) {
      throw new PeerFault("client went in the middle of a request");
    }
    return count > 0;
  }

  private void request(Command command, int flags, long cookie, long offset, long length) {
    Verdict verdict = rules.judge(command, flags, offset, length);
    if (verdict != Verdict.ALLOWED || stopping) {
      refuse(command, cookie, offset, verdict);
      return;
    }
    if (command == Command.READ) {
      read(flags, cookie, offset, (int) length);
      return;
    }
    Buffer scratch = null;
    if (command == Command.CACHE) {
      scratch = take(cacheBytes(length));
      if (scratch == null) {
        inPieces(command, cookie, offset, () -> piecewise.cache(offset, length));
        return;
      }
    }
    Slot slot = slot(command, flags, cookie, offset, length);
    slot.buffer = scratch;
    if (command == Command.BLOCK_STATUS) {
      slot.contextIds = allContexts();
    }
    workers.execute(slot);
  }

  private void refuse(Command command, long cookie, long offset, Verdict verdict) {
    NbdError error = verdict == Verdict.ALLOWED ? NbdError.ESHUTDOWN : verdict.error();
    String text = verdict == Verdict.ALLOWED ? "server is shutting down" : verdict.text();
    failGathered(command, cookie, offset, error, text);
  }

  private void failGathered(
      Command command, long cookie, long offset, NbdError error, String text) {
    makeRoom(ReplyHeader.ERROR_BYTES_MAX);
    byte[] words = text.getBytes(StandardCharsets.UTF_8);
    gathered +=
        ReplyHeader.error(out.whole(), gathered, style, command, cookie, offset, error, words);
  }

  private void read(int flags, long cookie, long offset, int length) {
    if (length == 0) {
      // A chunk of data must have some (proto.md, "NBD_REPLY_TYPE_OFFSET_DATA").
      doneGathered(Command.READ, cookie, offset);
      return;
    }
    if (direct == null
        && length <= SERVED_NOW_MAX
        && servesNow
        && readGathered(flags, cookie, offset, length)) {
      return;
    }
    Buffer buffer = take(length);
    if (buffer == null) {
      if (piecewise.answersWhole(flags)) {
        slots.awaitIdle();
      }
      inPieces(Command.READ, cookie, offset, () -> piecewise.read(flags, cookie, offset, length));
      return;
    }
    Slot slot = slot(Command.READ, flags, cookie, offset, length);
    slot.buffer = buffer;
    start(slot);
  }

  /** Work on a request in the buffer of replies, which is empty then. */
  private interface PieceWork {
    void run() throws BlockFault;
  }

  private void inPieces(Command command, long cookie, long offset, PieceWork work) {
    try {
      work.run();
    } catch (BlockFault e) {
      failGathered(command, cookie, offset, NbdError.of(e.errno()), e.getMessage());
      return;
    }
    if (command != Command.READ) {
      doneGathered(command, cookie, offset);
    }
  }

  private void doneGathered(Command command, long cookie, long offset) {
    makeRoom(64);
    gathered += ReplyHeader.done(out.whole(), gathered, style, command, cookie, offset);
  }

  /** Has a read or write done by the kernel or by a worker. */
  private void start(Slot slot) {
    if (direct != null && direct.takes(slot.offset, slot.length)) {
      direct.start(slot);
    } else {
      workers.execute(slot);
    }
  }

  private boolean readGathered(int flags, long cookie, long offset, int length) {
    int header = ReplyHeader.readBytes(style);
    makeRoom(header + length);
    MemorySegment data = out.at(gathered + header, length);
    try {
      if (!node.readNow(data, offset)) {
        return false;
      }
    } catch (BlockFault e) {
      failGathered(Command.READ, cookie, offset, NbdError.of(e.errno()), e.getMessage());
      return true;
    }
    gathered += readAnswer.encode(out.whole(), gathered, flags, cookie, offset, length);
    return true;
  }

  private void requestWithPayload(
      Command command, int flags, long cookie, long offset, int payload) {
    Verdict verdict =
        command == Command.BLOCK_STATUS
            ? Verdict.ALLOWED
            : rules.judge(command, flags, offset, payload);
    if (verdict != Verdict.ALLOWED || stopping) {
      skip(payload);
      refuse(command, cookie, offset, verdict);
      return;
    }
    if (command == Command.BLOCK_STATUS) {
      filteredStatus(flags, cookie, offset, payload);
      return;
    }
    if (end - start >= payload
        && servesNow
        && writeNow(flags, cookie, offset, in.at(start, payload))) {
      start += payload;
      return;
    }
    Buffer buffer = take(payload);
    if (buffer == null) {
      inPieces(command, cookie, offset, () -> piecewise.write(flags, offset, payload, this::fill));
      return;
    }
    boolean handedOver = false;
    try {
      MemorySegment data = buffer.data(payload);
      fill(data);
      Slot slot = slot(command, flags, cookie, offset, payload);
      slot.buffer = buffer;
      handedOver = true;
      start(slot);
    } finally {
      if (!handedOver) {
        give(buffer);
      }
    }
  }

  private boolean writeNow(int flags, long cookie, long offset, MemorySegment data) {
    try {
      if (!node.writeNow(data, offset, NodeCalls.writeFlags(flags))) {
        return false;
      }
    } catch (BlockFault e) {
      failGathered(Command.WRITE, cookie, offset, NbdError.of(e.errno()), e.getMessage());
      return true;
    }
    doneGathered(Command.WRITE, cookie, offset);
    return true;
  }

  /** Fills a segment with the next bytes of the stream: first what is here, then what comes. */
  private void fill(MemorySegment into) {
    long bytes = into.byteSize();
    long done = Math.min(bytes, end - start);
    MemorySegment.copy(in.whole(), start, into, 0, done);
    start += (int) done;
    while (done < bytes) {
      long count = transport.receive(done == 0 ? into : into.asSlice(done));
      if (count == 0) {
        throw new PeerFault("client went in the middle of a payload");
      }
      done += count;
    }
  }

  private void skip(int bytes) {
    int left = bytes;
    while (left > 0) {
      int here = Math.min(left, end - start);
      start += here;
      left -= here;
      if (left > 0 && !receive()) {
        throw new PeerFault("client went in the middle of a payload");
      }
    }
  }

  private void filteredStatus(int flags, long cookie, long offset, int payload) {
    if (payload > 8 + 4 * NbdLimits.CONTEXTS_MAX || payload < 8 || payload % 4 != 0) {
      skip(payload);
      failGathered(
          Command.BLOCK_STATUS, cookie, offset, NbdError.EINVAL, "malformed context filter");
      return;
    }
    MemorySegment filter = Arena.ofAuto().allocate(payload, 8);
    fill(filter);
    long length = filter.get(Wire.BE64, 0);
    Verdict verdict = rules.judge(Command.BLOCK_STATUS, flags, offset, length);
    if (verdict != Verdict.ALLOWED) {
      refuse(Command.BLOCK_STATUS, cookie, offset, verdict);
      return;
    }
    long[] ids = new long[payload / 4 - 2];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Integer.toUnsignedLong(filter.get(Wire.BE32, 8 + 4L * i));
      if (!chosen(ids[i]) || seen(ids, i)) {
        failGathered(
            Command.BLOCK_STATUS, cookie, offset, NbdError.EINVAL, "bad context id " + ids[i]);
        return;
      }
    }
    Slot slot = slot(Command.BLOCK_STATUS, flags, cookie, offset, length);
    slot.contextIds = ids;
    workers.execute(slot);
  }

  private static boolean seen(long[] ids, int at) {
    for (int i = 0; i < at; i++) {
      if (ids[i] == ids[at]) {
        return true;
      }
    }
    return false;
  }

  private boolean chosen(long id) {
    for (MetaContext context : agreed.contexts()) {
      if (context.id() == id) {
        return true;
      }
    }
    return false;
  }

  private long[] allContexts() {
    return agreed.contexts().stream().mapToLong(MetaContext::id).toArray();
  }

  private Slot slot(Command command, int flags, long cookie, long offset, long length) {
    if (slots.full()) {
      flushGathered();
      while (direct != null && direct.count() > 0 && slots.full()) {
        direct.finishSome();
      }
    }
    Slot slot = slots.take(this);
    slot.command = command;
    slot.flags = flags;
    slot.cookie = cookie;
    slot.offset = offset;
    slot.length = length;
    return slot;
  }

  private void makeRoom(int bytes) {
    if (BATCH_BYTES - gathered < bytes) {
      flushGathered();
    }
  }

  private void flushGathered() {
    if (gathered > 0) {
      sender.send(out.whole().address(), gathered);
      gathered = 0;
    }
  }

  @Override
  public void close() {
    sender.close();
    arena.close();
  }
}
