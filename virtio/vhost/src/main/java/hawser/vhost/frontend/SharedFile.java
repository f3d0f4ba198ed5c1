package hawser.vhost.frontend;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.HostMemory;
import hawser.sys.MemoryCalls;
import hawser.sys.Result;
import java.lang.foreign.MemorySegment;

/**
 * An anonymous file, mapped: memory that a peer can be given. Whoever closes it must know that
 * nobody uses its address any more.
 *
 * @param descriptor the file, owned by this record
 * @param address host address of its first byte
 * @param bytes its length
 */
public record SharedFile(int descriptor, long address, long bytes) implements AutoCloseable {
  /** Zeroes; {@code name} shows in /proc only. */
  public static SharedFile create(String name, long bytes) throws BlockFault {
    int fd = (int) Result.orFault(MemoryCalls.memfdCreate(name), "memfd_create");
    try {
      Result.orFault(FileCalls.ftruncate(fd, bytes), "ftruncate");
      int access = MemoryCalls.PROT_READ | MemoryCalls.PROT_WRITE;
      long mapped = MemoryCalls.mmap(fd, 0, bytes, access, MemoryCalls.MAP_SHARED);
      return new SharedFile(fd, Result.orFault(mapped, "mmap"), bytes);
    } catch (BlockFault e) {
      FileCalls.close(fd);
      throw e;
    }
  }

  /** All of it. */
  public MemorySegment memory() {
    return HostMemory.at(address, bytes);
  }

  @Override
  public void close() {
    MemoryCalls.munmap(address, bytes);
    FileCalls.close(descriptor);
  }
}
