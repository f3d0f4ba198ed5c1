package hawser.sys;

import java.lang.foreign.MemorySegment;

/**
 * This process's memory by address, for code that keeps addresses of mappings it made. Nothing is
 * checked: an address that is not mapped for as long as it is used takes the process down. Where a
 * mapped file has become shorter, an access ends in an {@link InternalError}.
 */
public final class HostMemory {
  /** All of it: offsets are addresses. */
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private HostMemory() {}

  /** A part of it. */
  public static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }
}
