/**
 * A guest's side of virtio-fs without a guest: FUSE requests over rings of our own front-end.
 * Written from the protocol alone, so that it judges a server independently of that server's own
 * records.
 */
@org.jspecify.annotations.NullMarked
package hawser.testkit.fuse;
