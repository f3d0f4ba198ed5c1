/**
 * The state of a shared folder that travels with its guest: what it consists of, and the forms in
 * which it is written. Knows nothing of how files are served.
 */
@org.jspecify.annotations.NullMarked
package hawser.fs.state;
