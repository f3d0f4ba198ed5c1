package hawser.block.inspect;

/**
 * A name in an image that makes whoever opens the image open something else.
 *
 * @param kind {@code backing file} or {@code data file}
 * @param name as it stands in the image
 * @param format the format that the image asks for, or "" when it leaves that to probing
 */
public record Reference(String kind, String name, String format) {}
