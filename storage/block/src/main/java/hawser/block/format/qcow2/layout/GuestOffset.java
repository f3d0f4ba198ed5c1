package hawser.block.format.qcow2.layout;

/**
 * A place in the disk that the guest sees. A type of its own, so that it is never mistaken for a
 * {@link HostOffset}; inner loops use the plain number.
 *
 * @param bytes from the start of the disk
 */
public record GuestOffset(long bytes) {}
