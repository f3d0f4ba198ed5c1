/** The programs that the other packages here run against. */
@org.jspecify.annotations.NullMarked
package hawser.interop.peers;
