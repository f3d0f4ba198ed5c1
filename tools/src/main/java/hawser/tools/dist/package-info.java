/**
 * What a package of Hawser is made with: manual pages, completion, the start-up cache's training.
 */
@org.jspecify.annotations.NullMarked
package hawser.tools.dist;
