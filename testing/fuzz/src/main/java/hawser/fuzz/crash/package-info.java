/**
 * The crash explorer: does random work on a qcow2 image, then looks at every state in which a crash
 * could have left the file. The fault explorer lets each request to the file fail in turn instead.
 */
@org.jspecify.annotations.NullMarked
package hawser.fuzz.crash;
