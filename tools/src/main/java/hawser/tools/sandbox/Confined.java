package hawser.tools.sandbox;

import java.nio.file.Path;

/**
 * A daemon that has confined itself.
 *
 * @param share where the shared folder is from now on
 * @param inForce what confines it, in words
 */
public record Confined(Path share, String inForce) {}
