package hawser.fs.state;

/**
 * An option of the daemon's that a guest relies on, apart from what INIT agreed to.
 *
 * @param name as on the command line, without dashes
 * @param value as there, with its default where it is not given
 */
public record SavedOption(String name, String value) {}
