package hawser.vhost.backend;

/**
 * A device with memory of its own that the guest sees: regions in which parts of files appear and
 * go by {@link DeviceHost#map} and {@link DeviceHost#unmap} (virtio, "Shared Memory Regions";
 * vhost-user, "VHOST_USER_GET_SHMEM_CONFIG").
 */
public interface SharesMemory {
  /**
   * Bytes of each region, by id: whole pages, 0 for an id that is not used, at most 256 of them;
   * always the same.
   */
  long[] sharedMemory();
}
