package hawser.block;

import java.util.OptionalLong;

/**
 * How much room a new image will need, in bytes of its file.
 *
 * @param required for the data that is there now
 * @param fullyAllocated once every byte of the disk has been written
 * @param bitmaps for the bitmaps of the source; empty when it can have none
 */
public record Measure(long required, long fullyAllocated, OptionalLong bitmaps) {}
