/** The libraries as a stranger uses them: the example of README.md. */
@org.jspecify.annotations.NullMarked
package hawser.interop.library;
