package hawser.block.format.qcow2.layout;

/**
 * A place in the image file, or in the data file.
 *
 * @param bytes from the start of the file
 */
public record HostOffset(long bytes) {}
