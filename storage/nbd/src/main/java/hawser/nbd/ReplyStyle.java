package hawser.nbd;

/** The shape of requests and replies that a client and a server agreed on. */
public enum ReplyStyle {
  /** Compact requests, one simple reply each. */
  SIMPLE,
  /** Compact requests; READ and BLOCK_STATUS are answered in chunks. */
  STRUCTURED,
  /** 64-bit lengths both ways; every answer is chunks. */
  EXTENDED;

  /** Bytes of a request without its payload. */
  public int requestBytes() {
    return this == EXTENDED ? 32 : 28;
  }

  /** Bytes in front of a chunk's payload, or of a simple reply. */
  public int replyBytes() {
    return switch (this) {
      case SIMPLE -> 16;
      case STRUCTURED -> 20;
      case EXTENDED -> 32;
    };
  }

  /** The number a request opens with. */
  public int requestMagic() {
    return this == EXTENDED ? Magic.EXTENDED_REQUEST : Magic.REQUEST;
  }
}
