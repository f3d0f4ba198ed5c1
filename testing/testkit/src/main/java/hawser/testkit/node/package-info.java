/** Nodes for tests: a disk in memory, one that writes down what happens to it, one that fails. */
@org.jspecify.annotations.NullMarked
package hawser.testkit.node;
