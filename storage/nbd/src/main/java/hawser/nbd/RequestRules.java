package hawser.nbd;

import hawser.base.Ranges;

/**
 * Whether a request makes sense to an export: a function of numbers, without a socket, and without
 * allocation for what is allowed (proto.md, "Transmission phase").
 *
 * @param style what was agreed
 * @param readOnly whether writes are refused
 * @param size of the export in bytes
 * @param minimumBlock what offsets and lengths must be multiples of; 1 when the client was not told
 * @param hasContexts whether block status was agreed on
 */
public record RequestRules(
    ReplyStyle style, boolean readOnly, long size, int minimumBlock, boolean hasContexts) {

  /** The verdict on a request. */
  public enum Verdict {
    /** Serve it. */
    ALLOWED(NbdError.EINVAL, ""),
    /** Not one of the commands. */
    UNKNOWN_COMMAND(NbdError.EINVAL, "invalid request type received"),
    /** A flag that this command does not have. */
    UNKNOWN_FLAGS(NbdError.EINVAL, "unsupported flags for command"),
    /** Writes are off. */
    READ_ONLY(NbdError.EPERM, "Export is read-only"),
    /** Reading past the end. */
    PAST_END(NbdError.EINVAL, "operation past EOF"),
    /** Writing past the end. */
    NO_ROOM(NbdError.ENOSPC, "operation past EOF"),
    /** More data than one request may ask for. */
    TOO_LONG(NbdError.EINVAL, "length is larger than the maximum of 33554432"),
    /** Not a multiple of the minimum block size. */
    UNALIGNED(NbdError.EINVAL, "request is not aligned to the minimum block size"),
    /** Block status of nothing. */
    EMPTY(NbdError.EINVAL, "need non-zero length"),
    /** Block status without a context. */
    NO_CONTEXT(NbdError.EINVAL, "CMD_BLOCK_STATUS not negotiated");

    private final NbdError error;
    private final String text;

    Verdict(NbdError error, String text) {
      this.error = error;
      this.text = text;
    }

    /** What the client is told. */
    public NbdError error() {
      return error;
    }

    /** The same for people. */
    public String text() {
      return text;
    }
  }

  /**
   * How many bytes of payload follow a request's header; may exceed every limit.
   *
   * @param length as unsigned as the style sends it
   */
  public long payload(Command command, int flags, long length) {
    boolean announced = style == ReplyStyle.EXTENDED && (flags & CommandFlags.PAYLOAD_LEN) != 0;
    return command == Command.WRITE || announced ? length : 0;
  }

  /** Judges a request; {@code length} is the effect's, also where a payload selects contexts. */
  public Verdict judge(Command command, int flags, long offset, long length) {
    if (command == Command.UNKNOWN) {
      return Verdict.UNKNOWN_COMMAND;
    }
    if ((flags & ~allowedFlags(command)) != 0) {
      return Verdict.UNKNOWN_FLAGS;
    }
    if (command == Command.FLUSH) {
      // Offset and length are to be zero; servers ignore what old clients put there.
      return Verdict.ALLOWED;
    }
    if (readOnly && command.writes()) {
      return Verdict.READ_ONLY;
    }
    if (!Ranges.contains(size, offset, length)) {
      boolean writes = command == Command.WRITE || command == Command.WRITE_ZEROES;
      return writes ? Verdict.NO_ROOM : Verdict.PAST_END;
    }
    if ((command == Command.READ || command == Command.WRITE)
        && length > NbdLimits.PAYLOAD_BYTES_MAX) {
      return Verdict.TOO_LONG;
    }
    if (((offset | length) & (minimumBlock - 1)) != 0) {
      return Verdict.UNALIGNED;
    }
    return command == Command.BLOCK_STATUS ? status(length) : Verdict.ALLOWED;
  }

  private Verdict status(long length) {
    if (!hasContexts) {
      return Verdict.NO_CONTEXT;
    }
    return length == 0 ? Verdict.EMPTY : Verdict.ALLOWED;
  }

  private int allowedFlags(Command command) {
    int extended = style == ReplyStyle.EXTENDED ? CommandFlags.PAYLOAD_LEN : 0;
    return CommandFlags.FUA
        | switch (command) {
          case READ -> style == ReplyStyle.SIMPLE ? 0 : CommandFlags.DF;
          case WRITE -> extended;
          case WRITE_ZEROES -> CommandFlags.NO_HOLE | CommandFlags.FAST_ZERO;
          case BLOCK_STATUS -> CommandFlags.REQ_ONE | (hasContexts ? extended : 0);
          case DISC, FLUSH, TRIM, CACHE, UNKNOWN -> 0;
        };
  }
}
