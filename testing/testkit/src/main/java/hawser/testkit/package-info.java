/** What tests share: the programs of others run as peers, and nodes that record or fail. */
@org.jspecify.annotations.NullMarked
package hawser.testkit;
