/**
 * Judging of images from strangers. An {@link hawser.block.inspect.Inspection} says what an image
 * would make its host open, which of its claims contradict one another, and whether to take it. It
 * reads the one file it is given and opens nothing else, in bounded memory and time.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.inspect;
